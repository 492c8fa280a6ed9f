"""What an attempt of Huey ends with."""

from datetime import UTC, datetime
from pickle import PicklingError

import huey_shop
import pytest
from huey import CancelExecution, crontab
from huey.exceptions import RetryTask
from huey_bench import E, S, X
from z4j_core import (
    EventKind,
    Stop,
)

pytestmark = pytest.mark.filterwarnings("default")


def test_a_retry_is_told_between_two_starts_and_not_as_a_new_task(bench):
    task = bench.tasks["flaky"].s(1)

    assert bench.run(task) == [E, S, EventKind.RETRYING, S, X]
    assert [event.tries_left for event in bench.emit.of(task.id)] == [9, 9, 9, 8, 8]


def test_a_task_that_asks_for_a_retry_says_with_what(bench):
    task = bench.tasks["again"].s()

    assert bench.run(task) == [E, S, EventKind.RETRYING, S, X]
    retried = bench.emit.wait(task.id, EventKind.RETRYING)
    assert isinstance(retried.error, RetryTask)


def test_a_delayed_retry_says_when(bench):
    task = bench.task(huey_shop.doomed, name="late", retries=1, retry_delay=60).s()

    kinds = bench.run(task)

    assert kinds == [E, S, EventKind.RETRYING]
    due_at = bench.emit.wait(task.id, EventKind.RETRYING).due_at
    assert due_at == pytest.approx(datetime.now(UTC).timestamp() + 60, abs=20)
    bench.due()
    bench.work()
    assert bench.emit.kinds(task.id) == [*kinds, E, S, EventKind.FAILED]


def test_a_cancelled_execution_is_skipped_and_can_be_run_again(bench):
    task = bench.tasks["skipped"].s()

    assert bench.run(task) == [E, S, EventKind.CANCELLED]
    assert bench.end(task).detail == "skipped"
    assert bench.emit.native(task.id).task == "huey_shop.skipped"


def test_a_cancelled_execution_with_retries_is_retried(bench):
    task = bench.tasks["skipped"].s(retries=1)

    assert bench.run(task) == [E, S, EventKind.RETRYING, S, EventKind.CANCELLED]


def test_a_task_stopped_by_a_hook_before_it_runs_is_skipped(bench):
    @bench.huey.pre_execute("mine")
    def stop(task):
        raise CancelExecution

    task = bench.tasks["ok"].s(1)

    assert bench.run(task) == [E, S, EventKind.CANCELLED]
    assert bench.end(task).detail == "skipped"


def test_a_locked_task_fails_as_locked(bench):
    task = bench.task(bench.huey.lock_task("mine")(huey_shop.ok), name="locked").s(1)

    with bench.huey.lock_task("mine"):
        assert bench.run(task) == [E, S, EventKind.FAILED]

    assert bench.end(task).detail == "locked"
    assert type(bench.end(task).error).__name__ == "TaskLockedException"


def test_a_rate_limited_task_is_retried_when_its_window_opens(bench):
    if not hasattr(bench.huey, "rate_limit"):
        pytest.skip("rate limit: version")
    limited = bench.huey.rate_limit("mine", 1, 60)
    function = bench.task(limited(huey_shop.ok), name="limited")
    assert bench.run(function.s(1)) == [E, S, X]
    task = function.s(2)

    assert bench.run(task) == [E, S, EventKind.RETRYING]
    assert bench.emit.of(task.id)[-1].due_at is not None
    limited = bench.huey.rate_limit("mine", 1, 60, retry=False)
    last = bench.task(limited(huey_shop.ok), name="last").s(3)
    assert bench.run(last) == [E, S, EventKind.FAILED]
    assert bench.end(last).detail == "rate_limited"


def test_what_the_app_revokes_is_cancelled_without_a_start(bench):
    result = bench.tasks["ok"](1)
    result.revoke()

    bench.work()

    assert bench.emit.kinds(result.id) == [E, EventKind.CANCELLED]
    assert bench.emit.end(result.id).detail == "revoked"


def test_what_an_operator_cancels_leaves_no_key_behind(bench):
    result = bench.tasks["ok"](1)

    assert bench.engine.cancel(result.id) is Stop.ASKED

    bench.work()
    assert bench.emit.end(result.id).detail == "operator"
    assert bench.huey.result_count() == 0


def test_a_task_put_off_is_scheduled_and_then_due(bench):
    task = bench.tasks["ok"].s(1, delay=60)

    bench.run(task)
    bench.due()
    bench.work()

    scheduled = EventKind.SCHEDULED
    assert bench.emit.kinds(task.id) == [scheduled, scheduled, E, S, X]


def test_a_periodic_task_is_told_like_any_other(bench):
    made = bench.huey.periodic_task(crontab(), name="tick")(lambda: 7)

    task = made.task_class()

    assert bench.run(task) == [E, S, X]
    (found,) = [each for each in bench.engine.discover() if each.name.endswith(".tick")]
    assert found.options["periodic"] is True


def test_a_result_that_cannot_be_stored_fails_with_why(bench):
    task = bench.tasks["unstorable"].s()
    bench.huey.enqueue(task)

    with pytest.raises((AttributeError, PicklingError)):
        bench.work()

    assert bench.emit.kinds(task.id) == [E, S, EventKind.FAILED]
    assert bench.end(task).error is not None


def test_a_retry_that_cannot_be_sent_is_a_failure(bench, monkeypatch):
    task = bench.tasks["doomed"].s()
    bench.huey.enqueue(task)

    def enqueue(*_):
        raise ConnectionError("gone")

    monkeypatch.setattr(bench.huey.storage, "enqueue", enqueue)
    with pytest.raises(ConnectionError):
        bench.work()

    assert bench.emit.kinds(task.id) == [E, S, EventKind.FAILED]
    assert isinstance(bench.end(task).error, ConnectionError)


def test_a_task_in_flight_when_the_consumer_stops_is_interrupted_once(bench):
    task, told = None, []

    def long():
        bench.huey.notify_interrupted_tasks()  # as the main thread does
        told.extend(bench.emit.kinds(task.id))
        return 1

    task = bench.task(long).s()
    bench.run(task)

    assert told == bench.emit.kinds(task.id) == [E, S, EventKind.CANCELLED]
    assert bench.end(task).detail == "interrupted"


def test_the_result_is_still_there_for_the_app(bench):
    result = bench.tasks["ok"](40)

    bench.work()

    assert result.get() == {"sum": 42}
