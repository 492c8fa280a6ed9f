"""Sending runs through the adapter. The rule: an error says whether anything was sent."""

from __future__ import annotations

from datetime import UTC, datetime

from z4j_core import Capability, EventKind, Job

from .rig import Rig, kinds, needs, proves, without

LATER_S = 1.0
NEAR_S = 0.01


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
        due = datetime.now(UTC).timestamp() + LATER_S  # noqa: TID251  (the engine's clock is real)

        sent = rig.verb(Capability.ENQUEUE, job=Job(rig.name("ok"), (1,), eta=due))

        scheduled = rig.wait(sent, EventKind.SCHEDULED)
        assert scheduled.due_at is not None
        assert abs(scheduled.due_at - due) < NEAR_S
        assert EventKind.STARTED not in kinds(rig, sent)
        assert rig.end(sent).kind is EventKind.SUCCEEDED
