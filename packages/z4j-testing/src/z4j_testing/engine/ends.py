"""How attempts end. The rule: each exactly once, whatever the engine says afterwards."""

from __future__ import annotations

from collections import Counter

from z4j_core import EventKind
from z4j_core.model.tasks import ENDS

from .rig import Rig, kinds, without


def _ends(rig: Rig, task_id: str, *retried: int) -> dict[int, list[EventKind]]:
    """Ends by attempt, once the `retried` ones have come.

    A retry is sent before its attempt ends, so another slot of the worker may be done first.
    """
    for attempt in retried:
        rig.wait(task_id, EventKind.RETRYING, attempt=attempt)
    found: dict[int, list[EventKind]] = {}
    for seen in rig.of(task_id):
        if seen.kind in ENDS:
            found.setdefault(seen.attempt, []).append(seen.kind)
    return found


class TestEnds:
    """Failure, retry, expiry, limits, deaths."""

    def test_failure_carries_type_message_traceback(self, rig: Rig) -> None:
        end = rig.end(rig.send("fail", "boom\nand more"))

        assert end.kind is EventKind.FAILED
        assert end.error_type == "ValueError"
        assert end.error_message == "boom\nand more"
        assert "raise ValueError(" in (end.traceback or "")

    def test_flaky_ends_retrying_retrying_succeeded(self, rig: Rig) -> None:
        task_id = rig.send("flaky", 2)

        rig.end(task_id)

        assert _ends(rig, task_id, 1, 2) == {
            1: [EventKind.RETRYING],
            2: [EventKind.RETRYING],
            3: [EventKind.SUCCEEDED],
        }
        rig.wait(task_id, EventKind.ENQUEUED)
        assert Counter(kinds(rig, task_id))[EventKind.ENQUEUED] == 1

    def test_the_exception_of_a_retried_attempt_is_kept(self, rig: Rig) -> None:
        task_id = rig.send("flaky", 1)

        first = rig.wait(task_id, EventKind.RETRYING)

        rig.end(task_id)
        assert (first.error_type, first.error_message) == ("KeyError", "again")

    def test_retries_to_death_end_failed_once(self, rig: Rig) -> None:
        task_id = rig.send("doomed")

        rig.end(task_id)

        assert _ends(rig, task_id, 1, 2) == {
            1: [EventKind.RETRYING],
            2: [EventKind.RETRYING],
            3: [EventKind.FAILED],
        }

    def test_expired_before_start(self, rig: Rig) -> None:
        without(rig, "expires")
        task_id = rig.send("ok", 1, expires_s=-1.0)

        end = rig.end(task_id)

        assert end.kind is EventKind.EXPIRED
        assert (end.task, end.args) == (rig.name("ok"), [1])
        assert EventKind.STARTED not in kinds(rig, task_id)

    def test_unregistered_task_ends_failed(self, rig: Rig) -> None:
        task_id = rig.send("no_such_task_anywhere")

        end = rig.end(task_id)

        assert (end.kind, end.detail) == (EventKind.FAILED, "unregistered")

    def test_ignore_has_an_end(self, rig: Rig) -> None:
        without(rig, "ignore")
        end = rig.end(rig.send("ignored"))

        assert (end.kind, end.detail) == (EventKind.SUCCEEDED, "ignored")

    def test_reject_has_an_end(self, rig: Rig) -> None:
        without(rig, "reject")
        task_id = rig.send("rejected")

        end = rig.end(task_id)

        assert (end.kind, end.detail) == (EventKind.FAILED, "rejected")
        rig.quiet()
        assert _ends(rig, task_id) == {1: [EventKind.FAILED]}

    def test_hard_timeout_ends_once(self, rig: Rig) -> None:
        without(rig, "hard limit")
        task_id = rig.send("hard")

        end = rig.end(task_id)

        assert (end.kind, end.detail) == (EventKind.FAILED, "timeout")
        rig.quiet()
        assert _ends(rig, task_id) == {1: [EventKind.FAILED]}

    def test_worker_killed_while_running_is_failed(self, rig: Rig) -> None:
        without(rig, "crash")
        task_id = rig.send("crash")

        end = rig.end(task_id)

        assert (end.kind, end.detail) == (EventKind.FAILED, "worker_killed")
        rig.quiet()
        assert _ends(rig, task_id) == {1: [EventKind.FAILED]}

    def test_a_result_that_cannot_be_stored_still_ends(self, rig: Rig) -> None:
        task_id = rig.send("unstorable")

        end = rig.end(task_id)

        assert (end.kind is EventKind.FAILED) == (end.error_type is not None)
        rig.quiet()
        assert _ends(rig, task_id) == {1: [end.kind]}
