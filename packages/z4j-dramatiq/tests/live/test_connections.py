"""Each process of a worker is one that works: it has a connection, and who started it has none."""

import pytest
from dramatiq_outside import RigOutside, broker_url
from z4j_core import EventKind
from z4j_testing.connections import one_each

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
PROCESSES = 3


@pytest.fixture
def rig(tmp_path):
    made = RigOutside(broker_url("redis"), "threads", tmp_path, processes=PROCESSES)
    yield made.start()
    made.stop()


def test_each_process_has_one_connection(rig):
    rig.until(lambda: len(rig.states(1)) == PROCESSES, "all processes", 60)
    ids = [rig.send("ok", number) for number in range(60)]
    ends = [rig.end(task_id) for task_id in ids]

    found = one_each(rig, PROCESSES)

    assert {end.kind for end in ends} == {EventKind.SUCCEEDED}
    assert found[rig.worker.pid] == frozenset()
    assert {pid for pid, sockets in found.items() if sockets} >= {end.pid for end in ends}
