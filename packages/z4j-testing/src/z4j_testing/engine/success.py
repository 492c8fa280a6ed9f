"""A run that goes well. The rule: its end stands alone, with all there is to know."""

from __future__ import annotations

from z4j_core import EventKind

from .rig import Rig, kinds

PAUSE_S = 0.3
_ORDER = (EventKind.ENQUEUED, EventKind.RECEIVED, EventKind.STARTED, EventKind.SUCCEEDED)


class TestSuccess:
    """Fields of the facts of one good run."""

    def test_enqueued_started_succeeded_in_key_order(self, rig: Rig) -> None:
        task_id = rig.send("ok", 1)

        rig.end(task_id)

        rig.wait(task_id, EventKind.ENQUEUED)
        seen = sorted(kinds(rig, task_id))
        told = [k for k in _ORDER if k is not EventKind.RECEIVED or "received" not in rig.lacks]
        assert seen == told
        assert {each.attempt for each in rig.of(task_id)} == {1}

    def test_live_args_reach_the_observer(self, rig: Rig) -> None:
        task_id = rig.send("echo", 1, "two", kwargs={"three": [3]})

        end = rig.end(task_id)

        assert (end.args, end.kwargs) == ([1, "two"], {"three": [3]})
        sent = rig.wait(task_id, EventKind.ENQUEUED)
        assert (sent.args, sent.kwargs) == ([1, "two"], {"three": [3]})

    def test_result_preview_comes_with_the_end(self, rig: Rig) -> None:
        assert rig.end(rig.send("ok", 40)).result == {"sum": 42}

    def test_runtime_is_measured(self, rig: Rig) -> None:
        end = rig.end(rig.send("pause", PAUSE_S))

        assert end.runtime_s is not None
        assert PAUSE_S * 0.9 < end.runtime_s < PAUSE_S * 4

    def test_queue_and_worker_are_named(self, rig: Rig) -> None:
        end = rig.end(rig.send("ok", 1))

        assert end.task == rig.name("ok")
        assert end.queue == rig.queue
        assert end.worker
        assert end.pid

    def test_parent_is_the_run_that_sent_it(self, rig: Rig) -> None:
        parent = rig.send("parent")

        child = rig.end(parent).result

        assert isinstance(child, str)
        rig.end(child)
        assert rig.wait(child, EventKind.ENQUEUED).parent_id == parent

    def test_a_retried_run_is_not_its_own_parent(self, rig: Rig) -> None:
        task_id = rig.send("flaky", 1)

        rig.end(task_id)

        assert {each.parent_id for each in rig.of(task_id)} == {None}
