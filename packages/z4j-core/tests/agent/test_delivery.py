"""Events of a process reach the brain, whatever happens to the connection."""

from __future__ import annotations

from pathlib import Path

from z4j_core import ErrorText, EventKind, Parameter, TaskDef, TaskEvent, Worker
from z4j_core.wire import CloseCode, RecordType
from z4j_core.wire.bodies import Want
from z4j_core.wire.items import Lost, WorkerState

RECEIVED = EventKind.RECEIVED
STARTED, SUCCEEDED, FAILED = EventKind.STARTED, EventKind.SUCCEEDED, EventKind.FAILED


def test_events_arrive_with_what_the_run_table_knows(brain, start):
    handle, engine = start()

    engine.emit(TaskEvent(STARTED, "t1", 1, "shop.charge", "mail", "w1", args=(1, 2)))
    engine.emit(TaskEvent(SUCCEEDED, "t1", 1, result=3))

    assert handle.flush(5)
    started, succeeded = brain.store.tasks
    assert (started.engine, started.app, started.name) == ("toy", "toyapp", "shop.charge")
    assert (succeeded.name, succeeded.queue, succeeded.worker) == ("shop.charge", "mail", "w1")
    assert succeeded.start == started.at
    assert succeeded.runtime is not None


def test_a_later_fact_of_an_attempt_repeats_what_earlier_ones_said(brain, start):
    handle, engine = start()

    engine.emit(TaskEvent(RECEIVED, "t1", 1, "shop.charge", "mail", "w1", root_id="r", priority=3))
    engine.emit(TaskEvent(STARTED, "t1", 1, args=(1, 2), pid=7))
    engine.emit(TaskEvent(SUCCEEDED, "t1", 1, result=3))

    assert handle.flush(5)
    end = brain.store.tasks[-1]
    assert (end.name, end.queue, end.worker, end.pid) == ("shop.charge", "mail", "w1", 7)
    assert (end.root, end.priority, end.args.text) == ("r", 3, '[1,"[redacted]"]')


def test_two_attempts_that_overlap_keep_their_own_facts(brain, start):
    handle, engine = start()

    engine.emit(TaskEvent(STARTED, "t1", 1, "shop.charge", "mail", "w1"))
    engine.emit(TaskEvent(STARTED, "t1", 2, "shop.charge", "mail", "w2"))
    engine.emit(TaskEvent(EventKind.RETRYING, "t1", 1))
    engine.emit(TaskEvent(SUCCEEDED, "t1", 2))

    assert handle.flush(5)
    ends = [(task.kind, task.attempt, task.worker) for task in items(brain, "t1")][-2:]
    assert ends == [(5, 1, "w1"), (6, 2, "w2")]


def test_a_start_tells_since_when_the_worker_had_the_task(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t0", 1))

    before = handle.process.clock.wall_us()
    engine.emit.received("t1", 1, lambda: TaskEvent(RECEIVED, "t1", 1, "shop.charge"))
    engine.emit(TaskEvent(STARTED, "t1", 1, "shop.charge"))

    assert handle.flush(5)
    (item,) = items(brain, "t1")
    assert (item.kind, item.name) == (4, "shop.charge")
    assert before <= item.received <= item.at


def test_a_task_that_waits_in_its_worker_is_told_as_received(brain, start):
    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t0", 1))
    brain.wait_for(lambda: brain.store.kinds("t0") == [4])

    engine.emit.received("t1", 1, lambda: TaskEvent(RECEIVED, "t1", 1))

    brain.wait_for(lambda: brain.store.kinds("t1") == [3])


def test_a_receipt_is_left_to_the_start_that_soon_follows(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t0", 1))
    now = handle.process.clock.monotonic
    engine.emit._monotonic = lambda: now() + 60  # young for as long as this test runs

    engine.emit.received("t1", 1, lambda: TaskEvent(RECEIVED, "t1", 1))
    handle.process.settle_due()
    engine.emit(TaskEvent(STARTED, "t1", 1))

    assert handle.flush(5)
    assert [item.kind for item in items(brain, "t1")] == [4]


def test_a_start_that_is_given_back_at_once_is_told_as_well(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t0", 1))
    brain.wait_for(lambda: brain.store.kinds("t0") == [STARTED])

    engine.emit(TaskEvent(STARTED, "t1", 1))
    engine.emit(TaskEvent(EventKind.REDELIVERED, "t1", 1))

    assert handle.flush(20)
    assert [task.kind for task in items(brain, "t1")] == [STARTED, EventKind.REDELIVERED]


def test_a_receipt_that_cannot_be_stated_harms_nobody(brain, start):
    handle, engine = start()

    engine.emit.received("t1", 1, lambda: 1 / 0)
    handle.process.settle()
    engine.emit(TaskEvent(STARTED, "t1", 1))

    assert handle.flush(5)
    assert brain.store.kinds("t1") == [4]
    assert handle.status()["hook_errors"] == 1


def test_a_short_run_is_told_whole_by_its_end(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t0", 1))

    engine.emit.received("t1", 1, lambda: TaskEvent(RECEIVED, "t1", 1))
    engine.emit(TaskEvent(STARTED, "t1", 1, "shop.charge", "mail", "w1", args=(1,), pid=7))
    engine.emit(TaskEvent(SUCCEEDED, "t1", 1, result=3))

    assert handle.flush(5)
    (item,) = items(brain, "t1")
    assert (item.kind, item.name, item.queue, item.worker, item.pid) == (
        6, "shop.charge", "mail", "w1", 7,
    )  # fmt: skip
    assert item.received <= item.start <= item.end
    assert brain.store.kinds("t1") == [3, 4, 6]


def test_a_long_run_is_told_while_it_runs(brain, start):
    _, engine = start()

    engine.emit(TaskEvent(STARTED, "t1", 1, "shop.charge"))

    brain.wait_for(lambda: [item.kind for item in items(brain, "t1")] == [4])


def test_a_long_run_is_told_though_the_clock_was_set_back_a_year(brain, start):
    handle, engine = start()
    in_a_year_us = handle.process.clock.wall_us() + 365 * 86_400_000_000
    engine.emit._wall_us = lambda: in_a_year_us  # what the clock said when it started

    engine.emit(TaskEvent(STARTED, "t1", 1, "shop.charge"))

    brain.wait_for(lambda: [item.kind for item in items(brain, "t1")] == [4])


def items(brain, task_id):
    """What was sent about a task, as it was sent."""
    return [item for item in brain.store.items if getattr(item, "task_id", None) == task_id]


def test_an_agent_reconnects_after_its_connection_was_cut(brain, start):
    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))
    brain.wait_for(lambda: brain.store.kinds("t1") == [4])

    brain.drop()
    engine.emit(TaskEvent(SUCCEEDED, "t1"))

    brain.wait_for(lambda: brain.store.kinds("t1") == [4, 6])


def test_a_batch_whose_ack_was_lost_is_stored_once(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))
    brain.wait_for(lambda: brain.store.kinds("t1") == [4])

    brain.knobs.drop_before_ack = True
    engine.emit(TaskEvent(SUCCEEDED, "t1"))

    brain.wait_for(lambda: len(brain.store.registers) == 2)
    assert handle.flush(5)
    assert brain.store.kinds("t1") == [4, 6]


def test_events_written_while_the_brain_is_away_arrive_when_it_is_back(brain, start):
    _, engine = start()
    brain.stop()

    for number in range(2000):
        engine.emit(TaskEvent(STARTED, f"t{number}", 1, "shop.charge"))
    brain.start()

    brain.wait_for(lambda: len(brain.store.tasks) == 2000, 15)


def test_a_task_list_is_sent_when_the_brain_wants_it(brain, start):
    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))
    link = brain.wait_for_agent()
    brain.wait_for(lambda: brain.store.beats)

    link.send(RecordType.WANT, (Want(1, "toy", "toyapp", 0), Want(2, "toy", "toyapp", 0)))

    brain.wait_for(lambda: len(brain.store.snapshots) == 2)
    tasks, queues = brain.store.snapshots
    assert [row[0] for row in tasks.rows] == ["shop.charge", "shop.report"]
    assert queues.rows[0][:3] == ["mail", 0, 3]
    inventory = {entry.kind: entry.hash for entry in brain.store.beats[0].inventory}
    assert inventory[1] == tasks.hash


def test_a_worker_is_announced_and_said_goodbye_to(brain, start):
    _, engine = start()

    engine.emit.worker_up(Worker("w1", slots=4))
    engine.emit.worker_down("w1", flush_s=5)

    states = [item for item in brain.store.items if isinstance(item, WorkerState)]
    assert [(item.worker, item.what) for item in states] == [("w1", 1), ("w1", 3)]
    assert brain.store.registers[0].role == "worker"


def test_closing_sends_what_is_left(brain, start):
    handle, engine = start()

    engine.emit(TaskEvent(FAILED, "t1", error=ErrorText("ValueError", "boom")))
    handle.close(5)

    assert brain.store.kinds("t1") == [7]


def test_a_superseded_agent_goes_on_with_a_new_stream(brain, start):
    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))
    link = brain.wait_for_agent()

    brain.close(CloseCode.SUPERSEDED, "a newer session of this stream")
    engine.emit(TaskEvent(STARTED, "t2"))

    brain.wait_for(lambda: len(brain.store.registers) == 2, 15)
    assert brain.store.registers[1].stream != link.stream
    brain.wait_for(lambda: brain.store.kinds("t2") == [4], 15)


def test_facts_the_brain_asked_not_to_be_told_are_counted(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))
    brain.wait_for_agent()

    brain.flow(shed=3)
    brain.wait_for(lambda: engine.emit(TaskEvent(STARTED, "t2")) or handle.process.writer.shed == 3)
    engine.emit(TaskEvent(STARTED, "t3"))
    engine.emit(TaskEvent(SUCCEEDED, "t3"))

    brain.wait_for(lambda: brain.store.kinds("t3") == [6])
    brain.wait_for(lambda: [item for item in brain.store.items if isinstance(item, Lost)])
    (lost, *_) = [item for item in brain.store.items if isinstance(item, Lost)]
    assert lost.reason == 5
    assert lost.per_state["running"] >= 1


def test_a15_secrets_in_arguments_are_masked_before_anything_is_written(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t0"))
    brain.wait_for_agent()

    engine.emit(
        TaskEvent(
            STARTED, "t1", 1, "shop.charge", args=(7, "hunter2-canary"),
            kwargs={"api_key": "sk-canary"},
        )
    )  # fmt: skip
    spool = Path(handle.process.spool.path)
    written = b"".join(path.read_bytes() for path in spool.iterdir() if path.is_file())

    assert handle.flush(5)
    assert b"canary" not in written
    (task,) = [task for task in brain.store.tasks if task.task_id == "t1"]
    assert (task.args.flags, task.args.text) == (1, '[7,"[redacted]"]')


def test_a_task_registered_late_is_masked_at_its_first_event(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t0", 1, "shop.charge", args=(1,)))
    late = TaskDef("shop.late", params=(Parameter("token", 1),))
    engine.discover = lambda: [late]

    engine.emit(TaskEvent(STARTED, "t1", 1, "shop.late", args=("canary",)))

    assert handle.flush(5)
    (task,) = [task for task in brain.store.tasks if task.task_id == "t1"]
    assert task.args.text == '["[redacted]"]'


def test_a_task_may_ask_for_more_to_be_masked_or_for_nothing_to_be_shown(brain, start):
    handle, engine = start()
    engine.discover = lambda: [
        TaskDef("a", options={"z4j": {"redact": ("card",)}}),
        TaskDef("b", options={"z4j": {"args": "none"}}),
    ]

    for name in ("a", "b"):
        engine.emit(TaskEvent(STARTED, name, 1, name, args=(), kwargs={"card": "canary", "n": 1}))

    assert handle.flush(5)
    first, second = brain.store.tasks
    assert first.kwargs.text == '{"card":"[redacted]","n":1}'
    assert (second.kwargs.flags, second.kwargs.text) == (8, "")
