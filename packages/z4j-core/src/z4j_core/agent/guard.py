"""Whether a copy of a scheduled run may start. The rule: in doubt it may, and soon.

A lease store remembers which copy of a fire began first. Asking it is the only thing a hook waits
for, so it is done in a thread of its own: a store that does not answer costs one wait, and until it
has answered after all nobody else waits for it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..clock import Clock
from ..config import Settings
from ..errors import Unsupported
from ..invoke import Outcome, attempt
from ..scheduler.fires import is_fire, read_mark
from ..scheduler.lease import LeaseStore, group_of
from .counters import Counters
from .items import Source

WAIT_S = 0.25
"""How long a start waits at most."""
_MAX_NOTES = 1_000
Offer = Callable[[], LeaseStore | None]


@dataclass(slots=True)
class _Question:
    ask: Callable[[LeaseStore], Any]
    done: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None


class Guard:
    """The guard of one engine in this process; without a store everything passes.

    `own` makes the store that is asked while no other is plugged, None where there is none.
    """

    def __init__(
        self,
        counters: Counters,
        entropy: Callable[[int], bytes],
        suppressed: Callable[[str, int], None],
        own: Offer = lambda: None,
    ) -> None:
        self._counters = counters
        self._own = own
        self._entropy = entropy
        self._suppressed = suppressed
        self._offer: Offer | None = None
        self._reset()

    def _reset(self) -> None:
        self._is_copy = False
        self._store: LeaseStore | None = None
        self._has_asked = False
        self._questions: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._overdue: _Question | None = None

    @property
    def is_plugged(self) -> bool:
        """Whether a store was plugged."""
        return self._offer is not None

    def plug(self, offer: Offer | None) -> None:
        """Ask the store that `offer` makes, once it is needed; None: the engine's own, if any.

        After a fork the child makes a store of its own from the same offer.
        """
        if self._is_copy:
            self._reset()
        before = self._questions
        self._offer = offer
        self._reset()
        before.put(None)

    def forked(self) -> None:
        """Thread and connection are the parent's; most children ask for neither."""
        self._is_copy = True

    def first_start(self, task_id: str, mark: object) -> bool:
        """Whether a message may start; `mark` is what it carries, None for one that is no fire.

        The first copy of a fire may, and every message of the same attempt to enqueue it: those
        are redeliveries, and retries by the engine.
        """
        found = read_mark(mark)
        if found is None or found[0] != task_id:
            return True
        return self._let(*found)

    def sole_start(self, task_id: str) -> bool:
        """The same for an engine whose messages carry nothing: one start until `starts_again`."""
        if not is_fire(task_id):
            return True
        token = int.from_bytes(self._entropy(4), "big") >> 1 or 1
        return self._let(task_id, token, told=0)

    def starts_again(self, task_id: str) -> None:
        """The engine will retry this run: its next start is no copy. Waits until that is kept."""
        if is_fire(task_id):
            self._asked(lambda store: store.forget_start(task_id))

    def note_start(self, task_id: str) -> None:
        """Keep that a run began; nobody waits for that."""
        if not is_fire(task_id):
            return
        if self._is_copy:
            self._reset()
        if self._questions.qsize() < _MAX_NOTES:
            self._put(_Question(lambda store: store.first_start(task_id, 1)))
        else:
            self._counters.guard_skipped += 1

    def _let(self, fire: str, enq: int, *, told: int | None = None) -> bool:
        if self._asked(lambda store: store.first_start(fire, enq)) is not False:
            return True
        self._suppressed(fire, enq if told is None else told)
        return False

    def _asked(self, ask: Callable[[LeaseStore], Any]) -> Any:
        """The answer of the store; None where there is none within `WAIT_S`, which is counted."""
        if self._is_copy:
            self._reset()
        overdue = self._overdue
        if overdue is not None and not overdue.done.is_set():
            self._counters.guard_skipped += 1
            return None
        question = _Question(ask)
        self._put(question)
        if not question.done.wait(WAIT_S):
            self._overdue = question
        outcome = question.outcome
        if outcome is None or not outcome.ok:
            self._counters.guard_skipped += 1
            return None
        return outcome.value

    def _put(self, question: _Question) -> None:
        with self._lock:
            if self._thread is None:
                work = threading.Thread(
                    target=self._work, args=(self._questions,), name="z4j-guard", daemon=True
                )
                work.start()
                self._thread = work
        self._questions.put(question)

    def _work(self, questions: queue.SimpleQueue[_Question | None]) -> None:
        while (question := questions.get()) is not None:
            question.outcome = attempt(partial(self._answer, question.ask))
            question.done.set()

    def _answer(self, ask: Callable[[LeaseStore], Any]) -> Any:
        if not self._has_asked:
            self._store, self._has_asked = (self._offer or self._own)(), True
        return None if self._store is None else ask(self._store)


def own_store(engine: Any, source: Source, settings: Settings, clock: Clock) -> LeaseStore | None:
    """The store in the engine's own broker, unless another was chosen for leases."""
    make = getattr(engine, "lease_store", None)
    if make is None or settings.dsn is None or getattr(settings, "lease_store", None):
        return None
    try:
        store: LeaseStore | None = make(group_of(settings.dsn.project, *source), clock.boottime)
    except Unsupported:
        return None
    return store
