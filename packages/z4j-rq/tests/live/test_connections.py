"""Horses write into their worker's stream: however many there were, there is one connection."""

import pytest
from rq_outside import RigOutside
from z4j_core import EventKind
from z4j_testing.connections import one_each
from z4j_testing.services import redis_url

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip


@pytest.fixture
def rig(tmp_path):
    made = RigOutside(redis_url(8), "fork", tmp_path)
    yield made.start()
    made.stop()


def test_a_horse_holds_no_connection_of_its_own(rig):
    running = rig.send("slow", "one")
    horse = rig.wait(running, EventKind.STARTED).pid

    found = one_each(rig, 1)

    assert found.keys() >= {rig.worker.pid, horse}
    assert found[horse] <= found[rig.worker.pid]
    rig.release("one")
    assert rig.end(running).kind is EventKind.SUCCEEDED


@pytest.mark.parametrize(
    "jobs", [50, pytest.param(500, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
def test_horses_for_each_job_open_none(rig, jobs):
    sent = [rig.send("ok", number) for number in range(jobs)]

    ends = [rig.end(task_id, timeout_s=300) for task_id in sent]

    assert [end.result for end in ends] == [{"sum": number + 2} for number in range(jobs)]
    assert len({end.pid for end in ends}) == jobs
    one_each(rig, 1)
