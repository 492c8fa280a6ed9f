"""Each child of taskiq's manager is a worker with one connection; the manager has none."""

import pytest
import taskiq_brokers
from taskiq_outside import RigOutside
from z4j_core import EventKind
from z4j_testing.connections import one_each

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
WORKERS = 3


@pytest.fixture
def rig(tmp_path):
    url = taskiq_brokers.url_of("redis-list")
    made = RigOutside("redis-list", url, tmp_path, options=("--workers", str(WORKERS)))
    yield made.start()
    made.stop()


def test_each_child_has_one_connection(rig):
    rig.until(lambda: len(rig.states(1)) == WORKERS, "all children", 60)
    ids = [rig.send("ok", number) for number in range(60)]
    ends = [rig.end(task_id) for task_id in ids]

    found = one_each(rig, WORKERS)

    assert {end.kind for end in ends} == {EventKind.SUCCEEDED}
    assert found[rig.worker.pid] == frozenset()
    assert {pid for pid, sockets in found.items() if sockets} >= {end.pid for end in ends}
