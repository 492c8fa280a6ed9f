"""This process as a writer of facts: its spool, its thread, its forks.

The rule: a process that recorded before it forked lends its stream to its children, which write
but never connect; a process that consumes, or records first itself, owns a stream and a thread.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..clock import Clock
from ..config import Dsn, Settings
from ..engine import Engine
from ..errors import StoreError
from ..model.tasks import Native
from ..spool import Spool, SpoolSettings, attach_child, open_spool
from ..spool.hand import Hand
from .boundary import Emitter, pack
from .braintime import BrainTime
from .counters import Counters
from .errands import Errands
from .firing import Registered
from .groups import Groups
from .items import Replayable, Source, note_item
from .meta import stream_meta
from .replays import Replays

START_HOLD_S = 0.05
RECEIPT_HOLD_S = 0.1
"""How old a start and a receipt must be before they get items of their own."""
HAND_OVER_S = 1.0
"""How long the end of a process waits until another one may fire its schedules."""
Entropy = Callable[[int], bytes]
log = logging.getLogger("z4j")


class Nowhere:
    """A writer for a process that has no spool: it counts nothing and keeps nothing."""

    shed = 0

    def append(self, body: bytes, /) -> bool:
        """Say that it was not written."""
        return False

    append_control = append

    def append_all(self, bodies: Sequence[bytes], /) -> None:
        """Write none of them."""


class Flush:
    """One side waits until all is stored, the other says when."""

    def __init__(self) -> None:
        self.wanted = False
        self._done = threading.Event()

    def wait(self, timeout_s: float) -> bool:
        """Ask and wait; whether it was answered in time (seconds)."""
        self._done.clear()
        self.wanted = True
        return self._done.wait(timeout_s)

    def answer(self) -> None:
        """Everything written before the question is stored."""
        self.wanted = False
        self._done.set()


class Process:
    """What all engines of this process share. `run` is the body of the agent's thread."""

    _is_copy = False
    _parents: tuple[Any, ...] = ()
    """What was the parent's: letting go of it would copy the pages it lies in."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        run: Callable[[Process], None],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.entropy = entropy
        self.brain_time = BrainTime(clock)
        self.counters = Counters()
        self.role = "script"
        self.framework: str | None = None
        self.emitters: list[Emitter] = []
        self.writer: Any = None
        self.spool: Spool | None = None
        self.replays = Replays(settings, clock)
        self.registered = Registered()
        self.flushing = Flush()
        self.errands = Errands()
        self.groups = Groups(self)
        self.stopping = threading.Event()
        self.caught_up = threading.Event()
        """Set once the brain has said what was ordered before, or cannot be reached."""
        self.stop_at = 0.0
        self.is_connected = False
        self.trouble = ""
        self.transport = ""
        self.is_child = False
        self.is_sending = False
        self.hand: Hand | None = None
        self.changed = threading.Event()
        self._run = run
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        _follow_forks(self)

    def add(self, engine: Engine) -> Emitter:
        """Attach an engine; the same one twice is attached once."""
        for emitter in self.emitters:
            if emitter.engine is engine:
                return emitter
        self._settle_in()
        emitter = Emitter(engine, self)
        self.emitters.append(emitter)
        engine.attach(emitter)
        self.changed.set()
        return emitter

    def begin(self) -> Any:
        """Open the spool at the first fact and start the sender; returns the writer."""
        with self._lock:
            if self.writer is None:
                self._settle_in()
                self._open()
                self._start()
            return self.writer

    def own(self, role: str, *, send: bool = True) -> None:
        """Be a long-lived process with a stream and, if it sends by now, a thread of its own."""
        with self._lock:
            self._settle_in()
            self.role = role
            self.groups.resume()
            if self.is_child:
                self.writer, self.is_child = None, False
            if self.writer is None:
                self._open()
            if send:
                self._start()

    @property
    def lost(self) -> int:
        """Facts this process could not keep, written off or still to be."""
        if self.spool is None:
            return 0
        return max(self.spool.usage().lost, self.spool.writer.counters.dropped)

    @property
    def path(self) -> str:
        """Where the stream of this process is; empty in memory, and before the first fact."""
        return self.spool.path if self.spool is not None else ""

    def write_to(self, path: str) -> None:
        """Be a spawned child of the owner of the stream at `path`: write there, never connect."""
        with self._lock:
            self.writer, self.is_child = attach_child(path, self.clock), True

    def keep(self, emitter: Emitter, task_id: str, native: Native, at_us: int) -> Replayable | None:
        """Keep an engine's message for a later retry; a child has no thread and writes at once."""
        self._settle_in()
        kept = self.replays.offer(emitter, task_id, native, at_us)
        if kept is None:
            self.counters.replay_dropped += 1
        elif self.is_child:
            self.replays.write_pending()
        return kept

    def running_here(self) -> str | None:
        """Id of the task that an engine says runs here, where another process tells its start."""
        for emitter in self.emitters:
            ask = emitter.running_here
            if ask is not None and (task_id := emitter.quietly(ask)):
                return task_id
        return None

    def workers_changed(self) -> None:
        """Leave the names of the workers beside the stream, for whoever adopts it."""
        if self.spool is None or not self.spool.path:
            return
        rows = [[*e.source, worker] for e in self.emitters if e.workers for worker in e.workers]
        with contextlib.suppress(OSError):
            (Path(self.spool.path) / "workers").write_text(json.dumps(rows), encoding="utf-8")

    def settle(self) -> None:
        """Put all that is in hand into the spool."""
        for emitter in self.emitters:
            emitter.settle()

    def settle_due(self) -> None:
        """Put into the spool what is in hand, without what its end or start may soon tell."""
        now = self.clock.monotonic()
        for emitter in self.emitters:
            emitter.settle(now - START_HOLD_S, now - RECEIPT_HOLD_S)

    def note(
        self, code: str, text: str, *, source: Source | None = None, is_over: bool = False
    ) -> None:
        """Say something that an operator should know, here and to the brain."""
        log.log(logging.INFO if is_over else logging.WARNING, "z4j: %s %s", code, text)
        item = note_item(self.clock.wall_us(), code, text, source, is_over=is_over)
        self.control(pack(item))

    def control(self, body: bytes) -> None:
        """Keep an item of class 1 for the brain."""
        writer = self.writer or self.begin()
        writer.append_control(body)

    def worker_left(self) -> None:
        """After the last one let another process fire what is fired from here: this one ends."""
        if not any(emitter.workers for emitter in self.emitters):
            self.groups.stop(HAND_OVER_S)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all facts so far are stored by the brain; whether they are."""
        self.settle()
        return self.is_sending and self.flushing.wait(timeout_s)

    def renew(self) -> None:
        """Go on with a new stream: the old one is somebody else's now, or will be adopted."""
        with self._lock:
            old, dsn = self.spool, self.settings.dsn
            if old is None or dsn is None:
                return
            self.spool = self._spool(dsn)
            self.writer, self.hand = self.spool.writer, self.spool.hand
            self.settle()
            old.close(offline=False)
            self.workers_changed()

    def catch_up(self, timeout_s: float) -> bool:
        """Start to send and wait until the brain has said what was ordered before; whether it has.

        Also true when it cannot be reached: then there is nothing to wait for.
        """
        self.own("worker")
        return self.is_sending and self.caught_up.wait(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Send what is left for at most `timeout_s` seconds and stop. Children just go."""
        if self.is_child:
            return
        self._settle_in()
        if self.stopping.is_set():
            return
        self.groups.stop(HAND_OVER_S)
        self.hand = None
        self.settle()
        self.stop_at = self.clock.monotonic() + timeout_s
        self.stopping.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)
        self.settle()
        if self.spool is not None and (thread is None or not thread.is_alive()):
            self.spool.close(offline=True)

    def _open(self) -> None:
        dsn = self.settings.dsn
        if dsn is None or self.stopping.is_set():
            self.writer = Nowhere()
            return
        try:
            self.spool = self._spool(dsn)
        except (OSError, StoreError) as error:
            log.warning("z4j: Z4J-E120 spool unusable, nothing is recorded: %s", error)
            self.writer = Nowhere()
            return
        self.replays.home = self.spool.home
        self.writer = self.spool.writer

    def _start(self) -> None:
        if self.spool is None or self._thread is not None:
            return
        self._thread = threading.Thread(target=self._send, name="z4j", daemon=True)
        self.is_sending, self.hand = True, self.spool.hand
        self._thread.start()

    def _send(self) -> None:
        try:
            self._run(self)
        finally:
            self.is_sending, self.hand = False, None

    def _spool(self, dsn: Dsn) -> Spool:
        settings = SpoolSettings(
            root=self.settings.spool_dir,
            origin=dsn.origin + dsn.prefix,
            project=dsn.project,
            cred_id=dsn.credential.cred_id,
            max_bytes=self.settings.spool_max_bytes,
        )
        meta = stream_meta(self.settings, self.role, self.framework)
        return open_spool(settings, meta, clock=self.clock, entropy=self.entropy)

    def forking(self) -> None:
        """Hold still while the process is copied."""
        self._lock.acquire()

    def forked_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def forked_child(self) -> None:
        """Keep the writer, forget what runs in the parent; what is shared with threads comes later.

        Most children only write. Each page that is touched here is copied for each of them.
        """
        self._lock.release()
        self._parents += (self._thread, self.spool, self.hand)
        self._thread = self.spool = self.hand = None
        self.is_sending, self._is_copy = False, True
        self.is_child = self.writer is not None
        for emitter in self.emitters:
            emitter.forked()

    def _settle_in(self) -> None:
        """Before a copy does more than write: locks and events are its own, not the parent's."""
        if not self._is_copy:
            return
        self._is_copy = False
        self.flushing = Flush()
        self.stopping = threading.Event()
        self.caught_up = threading.Event()
        self.changed = threading.Event()
        self.replays.forked()
        self.errands = Errands()
        self.groups.forked()


def _follow_forks(process: Process) -> None:
    """Tell a process about its forks for as long as it lives."""
    ref = weakref.ref(process)

    def call(method: str) -> None:
        target = ref()
        if target is not None:
            getattr(target, method)()

    os.register_at_fork(
        before=lambda: call("forking"),
        after_in_parent=lambda: call("forked_parent"),
        after_in_child=lambda: call("forked_child"),
    )
