"""A worker that also sends Celery's own events, and a task that leaves its process."""

import contextlib
import threading
from collections import Counter

import celery
import pytest
from celery.events import EventReceiver
from rig_modes import ends, working
from z4j_core import EventKind
from z4j_testing.services import broker_url
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def monitored(request, tmp_path_factory):
    folder, url = tmp_path_factory.mktemp("marks"), broker_url(request.param, 3)
    with working(folder, url=url, options=("-E",)) as rig, watching(rig.app) as heard:
        eventually(lambda: rig.end(rig.send("ok", 1)) and heard, "the monitor to hear a task", 20)
        yield rig, heard


@contextlib.contextmanager
def watching(app):
    """What a monitor hears of the workers while the block runs."""
    heard, listens = [], threading.Event()

    class Monitor(EventReceiver):
        def on_consume_ready(self, *_given, **_more):
            listens.set()

    with app.connection_for_read() as connection:
        monitor = Monitor(connection, app=app, handlers={"*": heard.append})
        thread = threading.Thread(target=monitor.capture, kwargs={"wakeup": False})
        thread.start()
        assert listens.wait(20)
        yield heard
        monitor.should_stop = True
        thread.join(20)
        assert not thread.is_alive()


def test_a_monitor_of_the_workers_hears_each_event_once_as_without_us(monitored):
    rig, heard = monitored
    task_id = rig.send("ok", 40)
    assert rig.end(task_id).result == {"sum": 42}

    def of_task():
        found = Counter(each["type"] for each in heard if each.get("uuid") == task_id)
        return found if found["task-succeeded"] else None

    told = eventually(of_task, "the events of the task", 20)

    assert told == {"task-received": 1, "task-started": 1, "task-succeeded": 1}
    assert ends(rig, task_id) == [EventKind.SUCCEEDED]


def test_a_task_that_leaves_its_process_has_an_end_where_celery_tells_one(monitored):
    rig, heard = monitored
    task_id = rig.send("leaves")

    if celery.VERSION[:2] >= (5, 7):
        assert rig.end(task_id).kind is EventKind.FAILED
    assert rig.end(rig.send("ok", 1)).kind is EventKind.SUCCEEDED

    def told():
        """Before 5.7 the pool may notice, or not: what Celery says of it is the measure."""
        return [each for each in heard if each["type"] == "task-failed" and each["uuid"] == task_id]

    eventually(lambda: len(ends(rig, task_id)) == len(told()), "as many ends as Celery tells", 20)
    assert ends(rig, task_id) in ([], [EventKind.FAILED])
