"""Scheduled runs on an engine. The rule: one fire is one run, however often it is placed.

Where the engine has a guard, a second copy comes as far as a worker and is dropped there without a
fact; elsewhere (`guard` in the rig's `lacks`) the engine, or the adapter, does not send it.
"""

from __future__ import annotations

import os
from typing import Any
from uuid import UUID

import pytest
from z4j_core import Capability, EventKind, Job, Unsupported
from z4j_core.clock import SystemClock
from z4j_core.model.tasks import ENDS
from z4j_core.scheduler.fires import fire_id, mark

from ..signals import eventually
from .rig import Rig, kinds, needs, skip, without

_FLAKY = _TWICE = 2
_SOON_S = 600.0


def new_fire() -> str:
    """The id of a fire that never was."""
    return fire_id(str(UUID(bytes=os.urandom(16))), 1, 60_000)


def placed(rig: Rig, fire: str, enq: int, task: str, *args: Any) -> str:
    """Place a fire as a leader does, for the `enq`th time."""
    job = Job(rig.name(task), args, id=fire, queue=rig.queue, fire=mark(fire, enq),
              options=rig.options_for(task))  # fmt: skip
    return rig.place(job)


def runs(rig: Rig, token: str) -> int:
    """How often `echo` ran with a token."""
    return rig.marks("echo").count([[token], {}])


def guarded(rig: Rig) -> None:
    """Skip where a worker has nobody to ask: its broker keeps no leases."""
    offer: Any = getattr(rig.engine, "lease_store", None)
    if "guard" in rig.lacks or rig.in_process:
        return
    if offer is None or offer("a/b/c", SystemClock().boottime) is None:
        skip("guard", "broker")


def _held(rig: Rig) -> int:
    """How many messages the broker has of the rig's queue, where it tells."""
    if rig.missing(Capability.DEPTH) is not None:
        return 0
    depth = rig.verb(Capability.DEPTH, queue=rig.queue)
    return (depth.ready or 0) + (depth.unacked or 0)


class TestSchedules:
    """What a leader and a worker promise each other."""

    @pytest.fixture(autouse=True)
    def _takes_fires(self, rig: Rig) -> None:
        without(rig, "fires")

    def test_a_fire_is_a_run_under_its_id(self, rig: Rig) -> None:
        fire = new_fire()

        assert placed(rig, fire, 1, "ok", 1) == fire

        assert rig.end(fire).result == {"sum": 3}

    def test_facts_of_a_run_name_its_fire(self, rig: Rig) -> None:
        without(rig, "marks")
        fire = new_fire()

        placed(rig, fire, 1, "ok", 1)

        assert rig.wait(fire, EventKind.ENQUEUED).fire_id == fire
        assert rig.wait(fire, EventKind.STARTED).fire_id == fire

    def test_the_guard_stops_a_second_copy(self, rig: Rig) -> None:
        guarded(rig)
        fire = new_fire()
        busy = rig.occupy()

        for enq in (1, 2, 3):
            placed(rig, fire, enq, "echo", fire)

        rig.vacate(busy)
        rig.end(fire)
        if "guard" not in rig.lacks:
            eventually(lambda: rig.suppressed().count(fire) == _TWICE, f"two copies of {fire}")
        rig.quiet()
        assert runs(rig, fire) == 1
        assert kinds(rig, fire).count(EventKind.STARTED) == 1
        assert [kind for kind in kinds(rig, fire) if kind in ENDS] == [EventKind.SUCCEEDED]

    def test_a_copy_that_comes_after_the_end_is_stopped(self, rig: Rig) -> None:
        guarded(rig)
        fire = new_fire()
        before = _held(rig)  # some engines never acknowledge a task they do not know
        placed(rig, fire, 1, "echo", fire)
        rig.end(fire)

        placed(rig, fire, 2, "echo", fire)

        if "guard" not in rig.lacks:
            eventually(lambda: fire in rig.suppressed(), f"a dropped copy of {fire}")
        rig.quiet()
        assert runs(rig, fire) == 1
        eventually(lambda: _held(rig) <= before, "the broker to be rid of it")

    def test_the_guard_lets_a_redelivery_pass(self, rig: Rig) -> None:
        without(rig, "marks")
        fire = new_fire()

        for _ in range(2):
            placed(rig, fire, 1, "echo", fire)

        eventually(lambda: runs(rig, fire) == _TWICE, f"two runs of {fire}")
        assert fire not in rig.suppressed()

    def test_the_guard_lets_an_engine_retry_pass(self, rig: Rig) -> None:
        fire = new_fire()

        placed(rig, fire, 1, "flaky", _FLAKY)

        assert rig.end(fire).kind is EventKind.SUCCEEDED
        eventually(lambda: kinds(rig, fire).count(EventKind.RETRYING) == _FLAKY, "two retries")
        starts = [seen for seen in rig.of(fire) if seen.kind is EventKind.STARTED]
        assert len(starts) == _FLAKY + 1
        if "marks" not in rig.lacks:
            assert {seen.fire_id for seen in starts} == {fire}
        assert fire not in rig.suppressed()

    def test_a_retry_by_an_operator_is_a_run_of_no_fire(self, rig: Rig) -> None:
        needs(rig, Capability.RETRY)
        fire = new_fire()
        placed(rig, fire, 1, "echo_then_fail", fire)
        rig.end(fire)

        again = rig.retry(fire)

        assert rig.end(again).kind is EventKind.FAILED
        assert {seen.fire_id for seen in rig.of(again)} == {None}

    def test_a_fire_may_have_a_deadline(self, rig: Rig) -> None:
        fire, soon = new_fire(), SystemClock().wall_us() / 1e6 + _SOON_S

        rig.place(Job(rig.name("ok"), (1,), id=fire, queue=rig.queue, fire=mark(fire, 1),
                      expires=soon))  # fmt: skip

        assert rig.end(fire).kind is EventKind.SUCCEEDED

    def test_headers_go_with_a_fire_or_are_refused(self, rig: Rig) -> None:
        fire = new_fire()
        job = Job(rig.name("ok"), (1,), id=fire, queue=rig.queue, fire=mark(fire, 1),
                  headers={"tenant": "blue"})  # fmt: skip
        if "headers" in rig.lacks:
            with pytest.raises(Unsupported):
                rig.place(job)
            return

        rig.place(job)

        assert rig.end(fire).kind is EventKind.SUCCEEDED

    def test_a_run_with_another_id_is_no_copy(self, rig: Rig) -> None:
        token = new_fire()
        sent = [rig.send("echo", token) for _ in range(2)]

        for each in sent:
            rig.end(each)

        assert runs(rig, token) == len(sent)

    def test_native_runs_link_to_their_schedule(self, rig: Rig) -> None:
        without(rig, "native")

        task_id, key = rig.native()

        rig.end(task_id)
        assert rig.wait(task_id, EventKind.ENQUEUED).schedule == key
        assert {seen.schedule for seen in rig.of(task_id)} <= {key, None}
