"""A pool that sizes itself, and no result backend."""

import pytest
from rig_modes import working
from z4j_core import Capability, EngineError, EventKind

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def scaling(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks")
    with working(folder, backend="disabled://", options=("--autoscale", "4,1")) as rig:
        yield rig


def test_a_pool_that_sizes_itself_is_not_resized(scaling):
    assert scaling.missing(Capability.POOL) == "config"
    with pytest.raises(EngineError):
        scaling.ask("pool", [scaling.hostname], {"delta": 1}, "worker")


def test_children_added_by_autoscale_report(scaling):
    tokens = [f"scaled-{number}" for number in range(4)]
    ids = [scaling.send("slow", token) for token in tokens]
    for task_id in ids:
        scaling.wait(task_id, EventKind.STARTED)
    for token in tokens:
        scaling.release(token)

    told = [scaling.end(task_id) for task_id in ids]

    assert {end.kind for end in told} == {EventKind.SUCCEEDED}
    assert len({end.pid for end in told}) == 4


def test_results_are_seen_without_a_result_backend(scaling):
    assert scaling.end(scaling.send("ok", 40)).result == {"sum": 42}
    assert scaling.end(scaling.send("fail", "boom")).error_message == "boom"


def test_cancel_and_retry_work_without_a_result_backend(scaling):
    task_id = scaling.send("slow", "never")
    scaling.wait(task_id, EventKind.STARTED)

    scaling.cancel(task_id)

    assert scaling.end(task_id).kind is EventKind.CANCELLED
    failed = scaling.send("fail", "again")
    scaling.end(failed)
    assert scaling.end(scaling.retry(failed)).error_message == "again"
