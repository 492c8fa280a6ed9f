"""Whether a copy of a scheduled run may start. The rule: in doubt it may, and soon.

A lease store remembers which copy of a fire began first. Asking it is the only thing a hook waits
for, so it is done in a thread of its own: a store that does not answer costs one wait, and until it
has answered after all nobody else waits for it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..clock import Clock
from ..config import Settings
from ..errors import StoreUnavailable, Unsupported
from ..invoke import Outcome, attempt
from ..scheduler.fires import is_fire, read_mark
from ..scheduler.lease import LeaseStore, group_of
from ..scheduler.leases.calls import Answer
from .counters import Counters
from .items import Source

WAIT_S = 0.25
"""How long a start waits at most."""
AGAIN_S = 5.0
"""The same for a copy that was enqueued in doubt whether there is another, which is rare."""
_MAX_NOTES = 1_000
_UNASKED = frozenset({"brain", "file"})
Offer = Callable[[], LeaseStore | None]


@dataclass(slots=True)
class _Question:
    ask: Callable[[LeaseStore], Any]
    wait_s: float = WAIT_S
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
        """Ask the store that `offer` makes; None: the engine's own, if any, once it is needed.

        It is reached at once: who starts first shall not wait for a connection, nor start in doubt
        because of it. After a fork the child makes a store of its own from the same offer.
        """
        if self._is_copy:
            self._reset()
        before = self._questions
        self._offer = offer
        self._reset()
        before.put(None)
        if offer is not None:
            self._put(_Question(lambda store: store.is_blank()))

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
        fire, enq = found
        return self._let(fire, enq, wait_s=WAIT_S if enq <= 1 else AGAIN_S)

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

    def _let(self, fire: str, enq: int, *, told: int | None = None, wait_s: float = WAIT_S) -> bool:
        if self._asked(lambda store: store.first_start(fire, enq), wait_s) is not False:
            return True
        self._suppressed(fire, enq if told is None else told)
        return False

    def _asked(self, ask: Callable[[LeaseStore], Any], wait_s: float = WAIT_S) -> Any:
        """The answer of the store; None where there is none in time, which is counted.

        While an answer is overdue nobody waits who would not wait longer. It is kept all the same
        who began: the question is answered some time.
        """
        if self._is_copy:
            self._reset()
        overdue, question = self._overdue, _Question(ask, wait_s)
        if overdue is not None and not overdue.done.is_set() and overdue.wait_s >= wait_s:
            self._counters.guard_skipped += 1
            self._keep(question)
            return None
        self._put(question)
        if not question.done.wait(wait_s):
            self._overdue = question
        outcome = question.outcome
        if outcome is None or not outcome.ok:
            self._counters.guard_skipped += 1
            return None
        return outcome.value

    def _keep(self, question: _Question) -> None:
        if self._questions.qsize() < _MAX_NOTES:
            self._put(question)

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
    """The store of leases a setting names, else the one in the engine's own broker.

    The brain keeps no starts, and which file leases are in knows who may lead alone.
    """
    if settings.dsn is None or settings.lease_store in _UNASKED:
        return None
    group = group_of(settings.dsn.project, *source)
    if settings.lease_store:
        return _named(settings, engine, group, clock)
    make = getattr(engine, "lease_store", None)
    if make is None:
        return None
    try:
        store: LeaseStore | None = make(group, clock.boottime)
    except Unsupported:
        return None
    return store


def _named(settings: Settings, engine: Any, group: str, clock: Clock) -> LeaseStore:
    from .hosting.choice import Place, choose  # noqa: PLC0415 - loaded with the first fire that runs

    return choose(Place(settings, engine, group, "", _nobody, clock.boottime))


def _nobody(_op: int, _args: Sequence[Any]) -> Answer:
    raise StoreUnavailable("the brain is not asked")
