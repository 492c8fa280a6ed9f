"""Running a task again with what it was given. The rule: raw bytes, a new id, a first attempt."""

from __future__ import annotations

from z4j_core import Capability, EventKind, Held
from z4j_core.clock import SystemClock

from .rig import Rig, kinds, needs, proves, without


class TestRetry:
    """Retry after an end."""

    @proves(Capability.RETRY)
    def test_retry_runs_with_equal_args(self, rig: Rig) -> None:
        needs(rig, Capability.RETRY)
        first = rig.send("echo_then_fail", 1, "ä", kwargs={"password": "hunter2", "n": [None, 2.5]})
        assert rig.end(first).kind is EventKind.FAILED

        again = rig.retry(first)

        rig.end(again)
        one, two = rig.marks("echo_then_fail")[-2:]
        assert one == two == [[1, "ä"], {"password": "hunter2", "n": [None, 2.5]}]

    def test_retry_has_a_new_id_and_a_link(self, rig: Rig) -> None:
        needs(rig, Capability.RETRY)
        first = rig.send("fail", "x")
        rig.end(first)

        again = rig.retry(first)

        rig.end(again)
        assert again != first
        assert rig.wait(again, EventKind.ENQUEUED).retry_of == first

    def test_retry_starts_at_the_first_attempt(self, rig: Rig) -> None:
        needs(rig, Capability.RETRY)
        first = rig.send("fail", "x")
        rig.end(first)

        again = rig.retry(first)

        assert rig.end(again).attempt == 1

    def test_retry_restarts_the_counter(self, rig: Rig) -> None:
        needs(rig, Capability.RETRY)
        without(rig, "retries again")
        first = rig.send("doomed")
        attempts = rig.end(first).attempt

        again = rig.retry(first)

        assert rig.end(again).attempt == attempts
        rig.wait(again, EventKind.RETRYING, attempt=1)

    def test_retry_of_an_expired_run_runs(self, rig: Rig) -> None:
        needs(rig, Capability.RETRY)
        without(rig, "expires")
        first = rig.send("ok", 5, expires_s=-1.0)
        assert rig.end(first).kind is EventKind.EXPIRED

        again = rig.retry(first)

        assert rig.end(again).result == {"sum": 7}

    def test_retry_of_a_cancelled_run(self, rig: Rig) -> None:
        needs(rig, Capability.RETRY)
        needs(rig, Capability.CANCEL)
        token = f"{rig.queue}-cancelled-again"
        first = rig.send("slow", token)
        rig.wait(first, EventKind.STARTED)
        rig.cancel(first)
        assert rig.end(first).kind is EventKind.CANCELLED

        again = rig.retry(first)

        rig.wait(again, EventKind.STARTED)
        rig.release(token)
        assert rig.end(again).kind is EventKind.SUCCEEDED

    def test_retry_keeps_the_chain(self, rig: Rig) -> None:
        needs(rig, Capability.RETRY)
        without(rig, "chain")
        before = len(rig.marks("echo"))
        first = rig.send("flaky_once_ever", rig.queue, then="echo")
        assert rig.end(first).kind is EventKind.FAILED

        again = rig.retry(first)

        assert rig.end(again).kind is EventKind.SUCCEEDED
        assert rig.marks("echo", at_least=before + 1)[-1] == [["chained"], {}]

    def test_a_retry_may_wait(self, rig: Rig) -> None:
        needs(rig, Capability.RETRY)
        without(rig, "eta")
        first = rig.send("fail", "x")
        rig.end(first)

        # An agent leaves a receipt to the start that soon follows: this one shall not be soon.
        # And longer than a step, or one that does not wait would look as if it had.
        again = rig.retry(first, delay_s=0.5 + rig.due_step_s if rig.in_process else 2.0)

        due_at = rig.wait(again, EventKind.SCHEDULED).due_at
        assert due_at is not None
        if "received" not in rig.lacks:
            assert rig.wait(again, EventKind.RECEIVED).due_at is not None
        assert rig.end(again).kind is EventKind.FAILED
        assert SystemClock().wall_us() / 1e6 > due_at - rig.due_step_s
        assert kinds(rig, again).count(EventKind.STARTED) == 1

    @proves(Capability.DEAD_LETTERS, Capability.REQUEUE)
    def test_requeue_empties_the_dead_letter(self, rig: Rig) -> None:
        needs(rig, Capability.REQUEUE)
        task_id = rig.send("flaky_once_ever", f"{rig.queue}-requeued")
        assert rig.end(task_id).kind is EventKind.FAILED
        dead = {held.task_id for held in _dead(rig)}
        assert task_id in dead

        assert rig.verb(Capability.REQUEUE, queue=rig.queue, task_id=task_id) == task_id

        assert rig.wait(task_id, EventKind.SUCCEEDED).result == "chained"
        assert {held.task_id for held in _dead(rig)} == dead - {task_id}


def _dead(rig: Rig) -> list[Held]:
    """All dead letters of the rig's queue, page by page."""
    found: list[Held] = []
    cursor = None
    while True:
        page = rig.verb(Capability.DEAD_LETTERS, queue=rig.queue, limit=20, cursor=cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found
