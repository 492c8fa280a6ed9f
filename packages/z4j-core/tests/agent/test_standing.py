"""A process that comes up holds what was ordered before, before it consumes."""

from __future__ import annotations

from toy import ToyEngine
from z4j_core import Worker
from z4j_core.model.commands import ResultState

LONG_S = 40.0


class Consumer(ToyEngine):
    """A toy that consumes queues, and stops when told so."""

    def __init__(self):
        super().__init__("consumer")
        self.paused = []

    def pause(self, queue):
        self.paused.append(queue)


def consumer(handle):
    engine = Consumer()
    handle.attach(engine)
    return engine


def test_who_catches_up_knows_afterwards_what_was_cancelled_and_paused(brain, start):
    brain.stand("cancel", "toy", "consumer", ["t9"], {"scope": 2})
    brain.stand("pause", "toy", "consumer", ["mail"], {"again": True})
    engine = consumer(start(allow="all")[0])

    engine.emit.catch_up(LONG_S)

    assert engine.cancelled == ["t9"]
    assert "t9" in engine.emit.tombstones()
    assert engine.emit.gate("mail").closed
    assert engine.paused == []


def test_who_consumes_already_is_told_to_pause(brain, start):
    engine = consumer(start(allow="all")[0])
    engine.emit.worker_up(Worker("w1"))
    brain.wait_for_agent(timeout_s=LONG_S)

    command = brain.command("pause", "toy", "consumer", ["mail"], {"again": True})

    assert brain.result(command, LONG_S).state == ResultState.DONE
    assert engine.paused == ["mail"]
    assert engine.emit.gate("mail").closed


def test_the_local_policy_decides_about_what_was_ordered_before(brain, start):
    brain.stand("pause", "toy", "consumer", ["mail"], {"again": True})
    engine = consumer(start(allow="observe")[0])

    engine.emit.catch_up(LONG_S)

    assert not engine.emit.gate("mail").closed


def test_nobody_waits_for_a_brain_that_cannot_be_reached(brain, start):
    handle, _ = start()
    brain.stop()

    assert handle.process.catch_up(LONG_S)


def test_nobody_waits_longer_than_he_said(brain, start):
    brain.knobs.hang = True
    handle, _ = start()

    assert not handle.process.catch_up(0.1)
