"""Tasks in greenlets, the agent as one of them."""

import pytest
from rig_modes import ends, working
from z4j_core import Capability, EventKind

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def green(tmp_path_factory):
    with working(tmp_path_factory.mktemp("marks"), "gevent") as rig:
        yield rig


def test_a_greenlet_is_interrupted_and_its_neighbour_goes_on(green):
    neighbour, task_id = green.send("slow", "neighbour"), green.send("slow", "never")
    for each in (neighbour, task_id):
        green.wait(each, EventKind.STARTED)

    green.cancel(task_id)

    assert green.end(task_id).kind is EventKind.CANCELLED
    green.release("neighbour")
    assert green.end(neighbour).kind is EventKind.SUCCEEDED
    assert ends(green, task_id) == [EventKind.CANCELLED]


def test_a_terminated_greenlet_ends_once(green):
    task_id = green.send("slow", "never")
    green.wait(task_id, EventKind.STARTED)

    green.verb(Capability.TERMINATE, task_id=task_id)

    assert green.end(task_id).kind is EventKind.CANCELLED
    green.quiet()
    assert ends(green, task_id) == [EventKind.CANCELLED]


def test_an_asyncio_loop_runs_in_a_greenlet_beside_the_agent(green):
    assert green.end(green.send("looped")).result == "looped"


def test_a_run_in_a_greenlet_names_the_process_of_its_worker(green):
    assert green.end(green.send("ok", 1)).pid == green.worker.pid
