"""Threads of a consumer share a connection; children, who live as long, have their own."""

import pytest
from huey_outside import RigOutside
from z4j_core import EventKind
from z4j_testing.connections import one_each
from z4j_testing.services import redis_url

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
SIZE = 3


@pytest.fixture
def working(tmp_path):
    made = []

    def start(pool):
        rig = RigOutside("redis", pool, redis_url(8), tmp_path, options=("-w", str(SIZE)))
        made.append(rig)
        return rig.start()

    yield start
    for rig in made:
        rig.stop()


@pytest.mark.parametrize(("pool", "workers"), [("thread", 1), ("process", SIZE)])
def test_each_process_that_works_has_one_connection(working, pool, workers):
    rig = working(pool)
    rig.until(lambda: len({each.worker for each in rig.states(1)}) >= workers, "all workers", 60)
    ids = [rig.send("ok", number) for number in range(60)]
    ends = [rig.end(task_id) for task_id in ids]

    found = one_each(rig, workers)

    assert {end.kind for end in ends} == {EventKind.SUCCEEDED}
    assert {pid for pid, sockets in found.items() if sockets} >= {end.pid for end in ends}
