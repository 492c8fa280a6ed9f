"""A worker of arq is one process with one connection, however many jobs it runs at a time."""

import pytest
from arq_outside import RigOutside
from z4j_core import EventKind
from z4j_testing.connections import one_each
from z4j_testing.services import redis_url

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip


@pytest.fixture
def rig(tmp_path):
    made = RigOutside(redis_url(8), tmp_path)
    yield made.start()
    made.stop()


def test_a_worker_has_one_connection(rig):
    ids = [rig.send("ok", number) for number in range(60)]
    ends = [rig.end(task_id) for task_id in ids]

    one_each(rig, 1)

    assert {end.kind for end in ends} == {EventKind.SUCCEEDED}
    assert {end.pid for end in ends} == {rig.worker.pid}
