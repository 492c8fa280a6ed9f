"""The emit boundary: what an adapter is lent. The rule: nothing here raises, waits or looks twice.

One fact is one write; whatever goes wrong is counted.
"""

from __future__ import annotations

import functools
import inspect
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgpack import Packer

from ..engine import KnowsRunning
from ..model.tasks import ENDS, EventKind, Native, TaskDef, TaskEvent
from .guard import Guard, own_store
from .items import (
    BORN,
    MAX_ITEM,
    REPLAYED,
    Replayable,
    Source,
    blank_of,
    cut_to_size,
    fill,
    is_plain,
    since_received,
    tail,
    trimmed,
    worker_item,
)
from .ledger import suppressed_line
from .lends import BoundedTombstones, QueueGate, interrupt
from .previews import Shown
from .recording import Recording
from .runs import CURRENT, ORIGIN, LiveRuns, Run

if TYPE_CHECKING:
    from ..engine import Engine
    from ..model.workers import Worker
    from ..spool.hand import Hand

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
_SHED_FROM = {
    EventKind.RECEIVED: 2,
    EventKind.ENQUEUED: 3,
    EventKind.SCHEDULED: 3,
    EventKind.STARTED: 3,
}
ONLINE, OFFLINE = 1, 3
_MAX_AWAITED = 1000
_AT_ONCE = 128
_STARTED = EventKind.STARTED
_OVERTAKE = ENDS | {_STARTED}
"""Kinds after which nobody needs to be told that the attempt was received."""


class _Packers(threading.local):
    """One packer per thread: making one costs more than an event."""

    def __init__(self) -> None:
        self.pack = Packer().pack
        self.patient = Packer(unicode_errors="backslashreplace").pack


_packers = _Packers()


def pack(item: Any) -> bytes:
    """Encode an item; text that is no Unicode keeps its code points as escapes."""
    try:
        return _packers.pack(item)
    except UnicodeEncodeError:
        return _packers.patient(item)


Awaited = dict[tuple[str, int], tuple[Callable[[], "TaskEvent | None"], int, float]]
"""What states that an attempt was received, and when (µs, monotonic s), by id and attempt."""
InHand = tuple["Hand", int, bytes]
"""A fact that is not in a segment yet: page, slot, item."""


class Emitter:
    """The `Emit` of one engine."""

    def __init__(self, engine: Engine, process: Recording) -> None:
        self.engine = engine
        self.runs = LiveRuns(process.clock.monotonic)
        self.awaited: Awaited = {}
        self.starting: dict[tuple[str, int], tuple[float, InHand]] = {}
        self.in_hand: deque[InHand] = deque()
        self.workers: dict[str, Worker] = {}
        self.running_here = engine.running_here if isinstance(engine, KnowsRunning) else None
        self.tasks: tuple[TaskDef, ...] = ()
        self._process = process
        self.previews = Shown(process.settings, self.rediscover)
        self._wall_us = process.clock.wall_us
        self._monotonic = process.clock.monotonic
        self._source: Source | None = None
        self._blank: list[Any] | None = None
        self._gates: dict[str, QueueGate] = {}
        self._tombstones = BoundedTombstones(process.clock.monotonic)
        own = lambda: own_store(engine, self.source, process.settings, process.clock)  # noqa: E731
        self.guard = guard = Guard(process.counters, process.entropy, self._suppressed, own)
        self.first_start, self.sole_start = guard.first_start, guard.sole_start
        self.starts_again, self.note_start = guard.starts_again, guard.note_start

    @property
    def source(self) -> Source:
        """Engine and app; asked of the engine once, since it may read configuration."""
        if self._source is None:
            app = self._process.settings.app or self.engine.app
            self._source = Source(self.engine.name, app[:128])
        return self._source

    def __call__(self, event: TaskEvent) -> None:
        """Record one fact."""
        process = self._process
        try:
            self._record(event, self._wall_us())
        except Exception:  # the host's task is worth more than our fact
            process.counters.hook_errors += 1

    def received(self, task_id: str, attempt: int, state: Callable[[], TaskEvent | None]) -> None:
        """Remember when an attempt was received; its start says so, or else the agent's thread."""
        process = self._process
        awaited = self.awaited
        awaited[task_id, attempt] = (state, self._wall_us(), self._monotonic())
        if len(awaited) > _MAX_AWAITED or not process.is_sending:
            self.record_awaited()

    def record_awaited(self, until: float = math.inf) -> None:
        """Record what was received up to `until` and has not started; any thread may do it."""
        awaited = self.awaited
        while awaited:
            try:
                key = next(iter(awaited))
                if awaited[key][2] > until:
                    return
                state, at_us, _ = awaited.pop(key)
            except (KeyError, StopIteration, RuntimeError):  # another thread was faster
                continue
            try:
                event = state()
                if event is not None:
                    self._record(event, at_us)
            except Exception:  # as above
                self._process.counters.hook_errors += 1

    def settle(self, started: float = math.inf, received: float = math.inf) -> None:
        """Put what is in hand into the spool, of starts and receipts those up to a time.

        Both times are monotonic seconds.
        """
        if self.awaited:
            self.record_awaited(received)
        starting, in_hand = self.starting, self.in_hand
        for key, (since, fact) in list(starting.items()) if starting else ():
            if since <= started and starting.pop(key, None) is not None:
                in_hand.append(fact)
        while facts := _some(in_hand):
            self._process.writer.append_all([body for _, _, body in facts])
            for hand, slot, _ in facts:
                hand.drop(slot)

    def hook(self, fn: F, *, raises: tuple[type[BaseException], ...] = ()) -> F:
        """`fn`, from which only `raises` can leave; anything else is counted and yields None."""
        counters = self._process.counters
        if inspect.iscoroutinefunction(fn):

            @functools.wraps(fn)
            async def guarded_async(*args: Any, **kwargs: Any) -> Any:
                try:
                    return await fn(*args, **kwargs)
                except raises:
                    raise
                except Exception:  # as above
                    counters.hook_errors += 1
                    return None

            return cast("F", guarded_async)

        @functools.wraps(fn)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return fn(*args, **kwargs)
            except raises:
                raise
            except Exception:  # as above
                counters.hook_errors += 1
                return None

        return cast("F", guarded)

    def worker_up(self, worker: Worker, *, send: bool = True) -> None:
        """This process consumes: it owns a stream and a connection from now on.

        `send` False opens the stream and leaves thread and announcement to the next call.
        """
        self.quietly(lambda: self._up(worker) if send else self._process.own("worker", send=False))

    def catch_up(self, timeout_s: float) -> None:
        """Before this process consumes: wait until gates and tombstones are what was ordered."""
        self.quietly(lambda: self._process.catch_up(timeout_s))

    def worker_down(self, worker_id: str, *, flush_s: float) -> None:
        """This worker stops; waits at most `flush_s` seconds until its facts are stored."""
        self.quietly(lambda: self._down(worker_id, flush_s))

    def gate(self, queue: str) -> QueueGate:
        """The gate of a queue in this process."""
        found = self._gates.get(queue)
        return found if found is not None else self._gates.setdefault(queue, QueueGate())

    def tombstones(self) -> BoundedTombstones:
        """Ids cancelled before they started."""
        return self._tombstones

    def stream(self) -> str:
        """Where this process writes; empty when it has not begun to, or only in memory."""
        return self._process.path

    def write_to(self, path: str) -> None:
        """Write where the process does that made this one, and never connect."""
        self.quietly(lambda: self._process.write_to(path))

    def interrupt(self, where: Any, error: type[BaseException]) -> bool:
        """Raise `error` in a thread or greenlet of this process."""
        return interrupt(where, error)

    def rediscover(self) -> None:
        """Ask the engine which tasks it has; called in the agent's thread."""
        self.quietly(self._discover)

    def detach(self) -> None:
        """Take the hooks out of the engine."""
        self.quietly(self.engine.detach)

    def forked(self) -> None:
        """Forget what belongs to the parent, and leave alone what is empty anyway."""
        for held in (self.awaited, self.starting, self.in_hand, self.workers):
            if held:
                held.clear()
        self.guard.forked()
        self.runs.forget_all()

    def _record(self, event: TaskEvent, at_us: int) -> None:
        """Make an item of a fact and put it down; whoever calls it catches everything."""
        process, kind = self._process, event.kind
        writer = process.writer or process.begin()
        run = self.runs.of(event, self._blank or self._make_blank())
        parts, key = run.positions, (event.task_id, event.attempt)
        fill(parts, event, at_us, self.previews)
        if self.awaited and kind in _OVERTAKE:
            _, run.received_us, _ = self.awaited.pop(key, (None, run.received_us, 0.0))
        if (shed := writer.shed) and _SHED_FROM.get(kind, 9) <= shed:
            process.counters.shed(kind)
            return
        self._date(run, event, at_us)
        if not is_plain(event) or kind in BORN:
            parts = parts + self._rest(event, at_us, run.received_us)
        elif run.received_us is not None:
            parts = since_received(parts, run.received_us)
        item = parts if parts[28] is not None else trimmed(parts)
        body = pack(item)
        # The end of a scheduled run does not tell who sent it: its start is never left out.
        hand = None if kind is _STARTED and (event.fire or event.schedule) else process.hand
        if hand is None or (slot := hand.hold(body)) is None:
            self._append(writer, item, body)
        elif kind is _STARTED:
            self._hold_back(key, (run.since or 0.0, (hand, slot, body)))
            return
        else:
            self.in_hand.append((hand, slot, body))
        run.received_us = None
        if self.starting and (start := self.starting.pop(key, None)) is not None:
            self._release(start[1], kind)

    def _date(self, run: Run, event: TaskEvent, at_us: int) -> None:
        """Say when, where the event leaves that to us."""
        kind, parts = event.kind, run.positions
        if kind is _STARTED:
            if event.start is None:
                parts[15] = at_us
        elif kind in ENDS:
            parts[16] = at_us
            if event.runtime_s is None:
                parts[17] = self.runs.spent_us(run)
        elif kind in BORN:
            parts[13] = at_us
            parts[29] = parts[29] or CURRENT.get() or self._process.running_here()

    def _append(self, writer: Any, item: Sequence[Any], body: bytes) -> None:
        if len(body) > MAX_ITEM:
            body = cut_to_size(item, pack)
        if not writer.append(body):
            self._process.counters.unwritten += 1

    def _hold_back(self, key: tuple[str, int], start: tuple[float, InHand]) -> None:
        """Keep a start until its end, or the agent's thread, comes."""
        before = self.starting.pop(key, None)
        if before is not None:  # handed out once more without an end
            self.in_hand.append(before[1])
        self.starting[key] = start

    def _release(self, start: InHand, kind: EventKind) -> None:
        """Let go of a start that was kept: an end has told it again, nothing else does."""
        if kind in ENDS:
            start[0].drop(start[1])
        else:
            self.in_hand.appendleft(start)

    def _rest(self, event: TaskEvent, at_us: int, received_us: int | None) -> list[Any]:
        """Positions 31 and up: where a new task comes from, and what few facts have."""
        origin = ORIGIN.get() if event.kind in BORN else None
        replay = None
        if event.native is not None and event.kind in REPLAYED:
            replay = self._keep(event.task_id, event.native, at_us)
        return tail(event, self.previews, origin=origin, replay=replay, received_us=received_us)

    def _make_blank(self) -> list[Any]:
        self._blank = blank_of(self.source)
        return self._blank

    def _keep(self, task_id: str, native: Callable[[], Native], at_us: int) -> Replayable | None:
        return self.quietly(lambda: self._process.keep(self, task_id, native(), at_us))

    def _up(self, worker: Worker) -> None:
        is_new = worker.id not in self.workers
        if worker.started_at is None:
            worker = replace(worker, started_at=self._wall_us() / 1e6)
        self.workers[worker.id] = worker
        self._process.own("worker")
        if is_new:
            self._process.workers_changed()
            self._say(worker.id, ONLINE)
        self._process.changed.set()

    def _down(self, worker_id: str, flush_s: float) -> None:
        if self.workers.pop(worker_id, None) is not None:
            self._say(worker_id, OFFLINE)
            self._process.workers_changed()
            self._process.worker_left()
        self._process.flush(flush_s)

    def _discover(self) -> None:
        self.tasks = tuple(self.engine.discover())
        self.previews.learn(self.tasks)

    def quietly(self, act: Callable[[], T]) -> T | None:
        """What `act` returns; None, and one more error counted, when it fails."""
        try:
            return act()
        except Exception:  # as above
            self._process.counters.hook_errors += 1
            return None

    def _suppressed(self, fire_id: str, enq: int) -> None:
        process = self._process
        writer = process.writer or process.begin()
        at_us = process.clock.wall_us()
        writer.append_control(pack(suppressed_line(self.source, at_us, fire_id, enq)))

    def _say(self, worker_id: str, what: int) -> None:
        process = self._process
        writer = process.writer or process.begin()
        writer.append(pack(worker_item(self.source, process.clock.wall_us(), worker_id, what)))


def _some(in_hand: deque[InHand]) -> list[InHand]:
    """The oldest of what is in hand; any thread may take it, each fact is taken once."""
    taken: list[InHand] = []
    try:
        for _ in range(_AT_ONCE):
            taken.append(in_hand.popleft())  # noqa: PERF401  what was taken before the last stays
    except IndexError:
        pass
    return taken


def find_emitter(emitters: Iterable[Emitter], engine: str, app: str) -> Emitter | None:
    """The one of an engine and app; an engine that cannot tell who it is, is passed over."""
    for emitter in emitters:
        if emitter.quietly(partial(getattr, emitter, "source")) == (engine, app):
            return emitter
    return None
