"""The books of a world: what was produced, and what became of it.

The rule: each fact is entered before it is written, and each look compares books and store.
"""

from __future__ import annotations

import os
from collections import Counter

from sim_agent import DONE, EVENTS
from sim_promises import (
    ACKED_IS_STORED,
    ANSWERS_FIRST,
    DONE_LAST,
    IN_CREDIT,
    KEPT,
    MARKS_RISE,
    NO_ZOMBIE,
    NOT_INVENTED,
    STORED_ONCE,
    TOLD_ONCE,
    holds,
)  # fmt: skip


def pending(one):
    """How many facts this writer dropped and could not yet tell of."""
    return sum(loss.n for lane in (one._facts, one._control) for loss in lane._lost)


class Books:
    """What was produced, and what became of it.

    `again`: how often a fact was written once more because a process died between the write and
    the emptying of its slot. `unsaid`: losses that died with a process before it could tell them.
    """

    def __init__(self, store):
        self.store = store
        self.produced = {}
        self.again = Counter()
        self.unsaid = 0
        self.met = Counter()
        self._numbers = 0
        self._marks = {}

    def produce(self, *, control):
        """Enter a new fact; its number."""
        self._numbers += 1
        self.produced[self._numbers] = control
        return self._numbers

    def sending(self, agent, record):
        """A record leaves an agent."""
        sender = agent.sender
        if record[1] == EVENTS:
            flight = sender._flying[-1]
            agent.sent.append(sender._by_handle[flight.handle].segment.cls)
            holds(IN_CREDIT, len(sender._flying) <= max(1, sender._credit))
        if record[1] == DONE:
            for sending in sender._by_handle.values():
                if sending.segment.finished:
                    holds(DONE_LAST, not os.path.exists(sending.segment.path))

    def sent(self, agent):
        """A step of an agent is over."""
        holds(ANSWERS_FIRST, agent.sent == sorted(agent.sent, reverse=True))

    def acked(self, agent, ack):
        """An agent hears that something is stored."""
        marks = self.store.marks()
        for handle, upto in ack.marks:
            sending = agent.sender._by_handle.get(handle)
            if sending is not None:
                one = sending.segment
                place = (one.stream.hex(), one.cls, one.segment_id.hex())
                holds(ACKED_IS_STORED, marks[place][0] >= upto)

    def committed(self, done, epochs):
        """A transaction is over: nothing went back, nothing is there twice."""
        for batch, outcome in done:
            if outcome.code == 0:
                holds(NO_ZOMBIE, batch.epoch >= epochs[batch.stream])
        marks = self.store.marks()
        for place, (upto, epoch) in self._marks.items():
            holds(MARKS_RISE, marks[place][0] >= upto)
            holds(NO_ZOMBIE, marks[place][1] >= epoch, "the stored one fell")
        self._marks = marks
        stored, _ = self.store.told()
        twice = [at for at, times in stored.items() if times > 1 + self.again[at]]
        holds(STORED_ONCE, not twice, f"{len(twice)} facts are not")

    def account(self):
        """Stored + told lost = produced, each as often as it was written."""
        stored, lost = self.store.told()
        holds(NOT_INVENTED, set(stored) <= set(self.produced))
        written = len(self.produced) + self.again.total()
        missing = written - sum(stored.values())
        told = f"{missing} missing, {lost} told, {self.unsaid} died"
        holds(KEPT, missing <= lost + self.unsaid, told)
        holds(TOLD_ONCE, missing >= lost + self.unsaid, told)
