"""Stopping runs. The rule: a cancelled run never starts again by itself, and no other stops."""

from __future__ import annotations

import pytest
from z4j_core import Capability, EngineError, EventKind, Stop
from z4j_core.model.tasks import ENDS

from ..signals import eventually
from .rig import Rig, kinds, needs, proves, skip, without


class TestCancel:
    """Waiting, delayed and running runs."""

    @proves(Capability.CANCEL)
    def test_cancel_running_ends_cancelled(self, rig: Rig) -> None:
        needs(rig, Capability.CANCEL)
        task_id = rig.send("slow", "never-1")
        rig.wait(task_id, EventKind.STARTED)

        assert rig.cancel(task_id) == Stop.ASKED

        end = rig.end(task_id)
        assert (end.kind, end.detail) == (EventKind.CANCELLED, "operator")
        rig.quiet()
        assert [kind for kind in kinds(rig, task_id) if kind in ENDS] == [EventKind.CANCELLED]

    def test_cancel_running_runs_finally(self, rig: Rig) -> None:
        needs(rig, Capability.CANCEL)
        token = f"{rig.queue}-finally"
        task_id = rig.send("slow", token)
        eventually(lambda: token in rig.marks("began"), "the task's try block")

        rig.cancel(task_id)

        rig.end(task_id)
        eventually(lambda: token in rig.marks("finally"), "the task's finally block")

    def test_cancelled_run_is_not_retried_by_the_engine(self, rig: Rig) -> None:
        needs(rig, Capability.CANCEL)
        task_id = rig.send("stubborn", "never-2")
        rig.wait(task_id, EventKind.STARTED)

        rig.cancel(task_id)

        assert rig.end(task_id).kind is EventKind.CANCELLED
        rig.quiet()
        assert kinds(rig, task_id).count(EventKind.STARTED) == 1
        assert EventKind.RETRYING not in kinds(rig, task_id)

    def test_the_worker_runs_the_next_task(self, rig: Rig) -> None:
        needs(rig, Capability.CANCEL)
        task_id = rig.send("slow", "never-3")
        rig.wait(task_id, EventKind.STARTED)
        rig.cancel(task_id)
        rig.end(task_id)

        assert rig.end(rig.send("ok", 1)).kind is EventKind.SUCCEEDED

    def test_cancel_before_start_prevents_the_run(self, rig: Rig) -> None:
        needs(rig, Capability.CANCEL)
        running = rig.occupy()
        waiting = rig.send("echo", "must not run")

        rig.cancel(waiting)

        rig.vacate(running)
        assert rig.end(waiting).kind is EventKind.CANCELLED
        assert EventKind.STARTED not in kinds(rig, waiting)
        assert [["must not run"], {}] not in rig.marks("echo")

    def test_cancel_of_a_delayed_run(self, rig: Rig) -> None:
        needs(rig, Capability.CANCEL)
        without(rig, "eta")
        task_id = rig.send("echo", "late", delay_s=1.0)
        rig.wait(task_id, EventKind.SCHEDULED)
        if "received" not in rig.lacks:
            rig.wait(task_id, EventKind.RECEIVED)

        rig.cancel(task_id)

        assert rig.end(task_id).kind is EventKind.CANCELLED
        assert [["late"], {}] not in rig.marks("echo")

    def test_cancel_of_a_finished_run_says_too_late(self, rig: Rig) -> None:
        needs(rig, Capability.CANCEL)
        task_id = rig.send("ok", 1)
        rig.end(task_id)

        assert rig.cancel(task_id) == Stop.ALREADY

    def test_a_late_cancel_hits_no_other_run(self, rig: Rig) -> None:
        needs(rig, Capability.CANCEL)
        done = rig.send("ok", 1)
        rig.end(done)
        token = f"{rig.queue}-bystander"
        bystander = rig.send("slow", token)
        rig.wait(bystander, EventKind.STARTED)

        rig.cancel(done)

        rig.release(token)
        assert rig.end(bystander).kind is EventKind.SUCCEEDED

    @proves(Capability.TERMINATE)
    def test_terminate_ends_it_and_spares_neighbours(self, rig: Rig) -> None:
        needs(rig, Capability.TERMINATE)
        token = f"{rig.queue}-neighbour"
        neighbours = [rig.send("slow", token)] if rig.slots > 1 else []
        task_id = rig.send("slow", "never-4")
        for each in (task_id, *neighbours):
            rig.wait(each, EventKind.STARTED)

        rig.verb(Capability.TERMINATE, task_id=task_id)

        assert rig.end(task_id).kind is EventKind.CANCELLED
        rig.release(token)
        assert all(rig.end(each).kind is EventKind.SUCCEEDED for each in neighbours)
        assert rig.end(rig.send("ok", 1)).kind is EventKind.SUCCEEDED

    def test_terminate_is_refused_where_tasks_share_a_process(self, rig: Rig) -> None:
        if rig.missing(Capability.TERMINATE) is None:
            skip("terminate", "this pool can")
        token = f"{rig.queue}-shared"
        task_id = rig.send("slow", token)
        rig.wait(task_id, EventKind.STARTED)

        with pytest.raises(EngineError):
            rig.verb(Capability.TERMINATE, task_id=task_id)

        rig.release(token)
        assert rig.end(task_id).kind is EventKind.SUCCEEDED
