"""Children that are replaced, a pool that is restarted, a beat beside it."""

import signal
import subprocess
import sys

import pytest
from rig_modes import ends, working
from rig_outside import HERE
from z4j_core import EventKind
from z4j_core.wire.items import Task
from z4j_testing.demo.processes import bound

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]


TASKS_A_CHILD = 10
BEAT = {"every": {"task": "shop.ok", "schedule": 0.2, "args": [7]}}


@pytest.fixture(scope="module")
def recycling(tmp_path_factory):
    conf = {"beat_schedule": BEAT, "beat_max_loop_interval": 0.2}
    options = ("--max-tasks-per-child", str(TASKS_A_CHILD))
    with working(tmp_path_factory.mktemp("marks"), options=options, conf=conf) as rig:
        yield rig


def test_children_replaced_after_some_tasks_go_on_reporting(recycling):
    count = 4 * TASKS_A_CHILD
    ids = [recycling.send("ok", number) for number in range(count)]

    told = [recycling.end(task_id) for task_id in ids]

    assert [end.result for end in told] == [{"sum": number + 2} for number in range(count)]
    pids = [end.pid for end in told]
    assert max(pids.count(pid) for pid in pids) <= TASKS_A_CHILD
    ignored = [recycling.end(recycling.send("ignored")) for _ in range(4)]
    assert {end.detail for end in ignored} == {"ignored"}


def test_a_task_whose_child_died_is_delivered_again_and_ends_once(recycling):
    task_id = recycling.send("crash_once")

    end = recycling.end(task_id)

    assert (end.kind, end.result) == (EventKind.SUCCEEDED, "second delivery")
    kinds = [seen.kind for seen in recycling.of(task_id)]
    assert (kinds.count(EventKind.STARTED), kinds.count(EventKind.REDELIVERED)) == (2, 1)
    assert ends(recycling, task_id) == [EventKind.SUCCEEDED]


def test_what_beat_sends_is_seen_from_beat(recycling, tmp_path):
    command = [
        sys.executable, "-m", "celery", "-A", "celery_shop_worker", "beat",
        "-s", str(tmp_path / "schedule"), "--pidfile=", "-l", "WARNING",
    ]  # fmt: skip
    with (tmp_path / "beat.log").open("w") as log:
        beat = subprocess.Popen(
            bound(command), cwd=HERE, stdout=log, stderr=log, env=recycling.environment()
        )
    try:
        items = recycling.brain.store.items

        def sent():
            return [
                i.task_id for i in items
                if isinstance(i, Task) and i.kind == EventKind.ENQUEUED and "[7]" in str(i.args)
            ]  # fmt: skip

        recycling.brain.wait_for(sent, 15)
        assert recycling.end(sent()[0]).result == {"sum": 9}
    finally:
        beat.send_signal(signal.SIGTERM)
        beat.wait(15)
