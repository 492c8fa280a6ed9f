"""Children of a pool write into the stream of their worker, which alone is connected."""

import pytest
from rig_modes import working
from z4j_core import EventKind
from z4j_testing.connections import one_each

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]
TASKS_A_CHILD = 5


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    options = ("--max-tasks-per-child", str(TASKS_A_CHILD))
    with working(tmp_path_factory.mktemp("marks"), options=options) as made:
        yield made


def test_children_of_a_pool_hold_no_connection_of_their_own(rig):
    children = {child.pid for child in rig.worker_now().children}

    found = one_each(rig, 1)

    assert len(children) == rig.slots
    assert found.keys() >= {rig.worker.pid, *children}
    assert all(found[pid] <= found[rig.worker.pid] for pid in children)


def test_children_that_replace_others_open_none(rig):
    ids = [rig.send("ok", number) for number in range(8 * TASKS_A_CHILD)]

    ends = [rig.end(task_id) for task_id in ids]

    assert {end.kind for end in ends} == {EventKind.SUCCEEDED}
    assert len({end.pid for end in ends}) >= len(ids) // TASKS_A_CHILD
    one_each(rig, 1)
