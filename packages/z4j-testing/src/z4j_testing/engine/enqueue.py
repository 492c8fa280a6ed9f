"""Sending runs through the adapter. The rule: an error says whether anything was sent."""

from __future__ import annotations

from z4j_core import Capability, EventKind, Job
from z4j_core.clock import SystemClock

from .rig import Rig, kinds, needs, proves, without

LATER_S = 1.0
ROUNDED_S = 0.01
"""How much earlier than it was told an engine may call a run due: most count milliseconds."""


def now() -> float:
    """The wall clock, Unix seconds: an engine's due time is by it."""
    return SystemClock().wall_us() / 1e6


class TestEnqueue:
    """The fourth duty: enqueue."""

    @proves(Capability.ENQUEUE)
    def test_the_chosen_id_is_the_engines_id(self, rig: Rig) -> None:
        needs(rig, Capability.ENQUEUE)
        chosen = f"chosen-{rig.queue}-{id(self)}"

        sent = rig.verb(Capability.ENQUEUE, job=Job(rig.name("ok"), (1,), id=chosen))

        assert sent == chosen
        assert rig.end(chosen).result == {"sum": 3}

    def test_arguments_arrive_as_they_were_given(self, rig: Rig) -> None:
        job = Job(rig.name("echo"), (1, "ä", None), {"key": [1.5, True]}, queue=rig.queue)

        sent = rig.verb(Capability.ENQUEUE, job=job)

        rig.end(sent)
        assert rig.marks("echo")[-1] == [[1, "ä", None], {"key": [1.5, True]}]

    def test_queue_is_honoured(self, rig: Rig) -> None:
        without(rig, "routing")
        needs(rig, Capability.PURGE)
        other = f"{rig.queue}-other"

        sent = rig.verb(Capability.ENQUEUE, job=Job(rig.name("ok"), (1,), queue=other))

        assert rig.wait(sent, EventKind.ENQUEUED).queue == other
        assert rig.verb(Capability.PURGE, queue=other) == 1

    def test_a_delayed_run_waits(self, rig: Rig) -> None:
        without(rig, "eta")
        asked = now()
        due = asked + LATER_S

        sent = rig.verb(Capability.ENQUEUE, job=Job(rig.name("ok"), (1,), eta=due))

        # An engine that knows delays alone counts one from the moment it sends.
        took = now() - asked
        scheduled = rig.wait(sent, EventKind.SCHEDULED)
        assert scheduled.due_at is not None
        assert due - ROUNDED_S < scheduled.due_at < due + took + ROUNDED_S
        assert EventKind.STARTED not in kinds(rig, sent)
        assert rig.end(sent).kind is EventKind.SUCCEEDED
