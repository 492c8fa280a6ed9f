"""Children that start from nothing, and import the tasks for themselves."""

import celery
import pytest
from rig_modes import working
from z4j_core import EventKind

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]


SPAWN = {"worker_pool_start_method": "spawn", "include": ["celery_shop_worker"]}


@pytest.fixture(scope="module")
def spawning(tmp_path_factory):
    if celery.VERSION[:2] < (5, 7):
        pytest.skip("spawn: version")
    folder = tmp_path_factory.mktemp("marks")
    with working(folder, conf=SPAWN) as rig:
        yield rig


def test_spawned_children_report(spawning):
    children = {child.pid for child in spawning.worker_now().children}

    end = spawning.end(spawning.send("ok", 1))

    assert (end.kind, end.result) == (EventKind.SUCCEEDED, {"sum": 3})
    assert end.pid in children


def test_a_run_sent_by_a_spawned_child_names_its_parent(spawning):
    parent = spawning.send("parent")

    child = spawning.end(parent).result

    assert spawning.end(child).parent_id == parent


def test_a_failure_in_a_spawned_child_is_retried(spawning):
    task_id = spawning.send("fail", "boom")
    assert spawning.end(task_id).error_message == "boom"

    assert spawning.end(spawning.retry(task_id)).error_message == "boom"


def test_a_spawned_child_that_died_is_replaced(spawning):
    assert spawning.end(spawning.send("crash")).detail == "worker_killed"

    told = [spawning.end(spawning.send("ok", 1)) for _ in range(3)]

    assert {end.kind for end in told} == {EventKind.SUCCEEDED}


def test_a_run_in_a_spawned_child_is_cancelled(spawning):
    task_id = spawning.send("slow", "never")
    spawning.wait(task_id, EventKind.STARTED)

    spawning.cancel(task_id)

    assert spawning.end(task_id).kind is EventKind.CANCELLED


def test_a_run_that_ends_itself_in_a_spawned_child_has_an_end(spawning):
    end = spawning.end(spawning.send("ignored"))

    assert (end.kind, end.detail) == (EventKind.SUCCEEDED, "ignored")
