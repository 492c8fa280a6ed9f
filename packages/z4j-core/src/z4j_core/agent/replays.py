"""Engine messages kept for a retry. The rule: bytes are moved, a changed record is never sent.

The hook only queues; the agent's thread writes.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from ..clock import Clock
from ..config import Settings
from ..engine import Engine
from ..errors import EngineError, Refused, StoreError, TaskNotFound, Unsupported
from ..invoke import Answering
from ..model.commands import Capability
from ..model.tasks import Native
from ..replay import KEPT_S, MAX_RECORD_BYTES, ReplayStore
from ..replay.file import MAX_BYTES, FileReplay
from .items import Replayable, Source
from .verbs import Done

MAX_PENDING = 1000
MAX_PENDING_BYTES = 16 << 20


class Sending(Protocol):
    """The engine a message belongs to, and the name it goes by."""

    engine: Engine

    @property
    def source(self) -> Source:
        """Engine and app."""
        ...


class Pending(NamedTuple):
    """A message on its way to the store."""

    emitter: Sending
    task_id: str
    native: Native
    until_us: int


class Replays:
    """The replay stores of this process: an engine's own, else a file beside the spool."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.is_on = settings.replay != "off"
        self.home = ""
        self.dropped = 0
        self._clock = clock
        self._file: ReplayStore | None = None
        self._own: dict[int, ReplayStore | None] = {}
        self._pending: deque[Pending] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def offer(
        self, emitter: Sending, task_id: str, native: Native, at_us: int
    ) -> Replayable | None:
        """Queue a message; None when there is no room for it or no store."""
        size = len(native.body)
        full = len(self._pending) >= MAX_PENDING or self._bytes + size > MAX_PENDING_BYTES
        if not self.is_on or size > MAX_RECORD_BYTES or full:
            return None
        digest = hashlib.sha256(native.body).hexdigest()  # raises for what is no bytes: not queued
        self._bytes += size
        until_us = at_us + KEPT_S * 1_000_000
        self._pending.append(Pending(emitter, task_id, native, until_us))
        kind = "redis" if hasattr(emitter.engine, "replay_store") else "host"
        return Replayable(until_us, kind, digest)

    def write_pending(self) -> None:
        """Write what is queued; what a store refuses is dropped and counted."""
        with self._lock:
            while self._pending:
                pending = self._pending.popleft()
                self._bytes -= len(pending.native.body)
                try:
                    self._write(pending)
                except (StoreError, EngineError):
                    self.dropped += 1

    def find(self, emitter: Sending, task_id: str) -> Native | None:
        """The message kept for a task, or None.

        Raises:
            StoreError: the store does not answer, or what is there is not what was kept.
        """
        self.write_pending()
        with self._lock:
            store, source = self._store_of(emitter), emitter.source
            record = None if store is None else store.get(source.engine, source.app, task_id)
        return None if record is None else Native(record.task, record.body)

    def forked(self) -> None:
        """The queue is the parent's to write."""
        self._pending.clear()
        self._bytes = 0
        self._lock = threading.Lock()

    def retry(
        self, emitter: Sending, task_id: str, params: Mapping[str, Any], digest: bytes | None
    ) -> Done:
        """Send the original message of a task again.

        Raises:
            Refused: nothing was kept, or what is kept is not what was.
        """
        native = self.find(emitter, task_id) or self._held(emitter, task_id)
        if native is None:
            raise Refused("replay.missing", "the original message was not kept")
        if digest is not None and hashlib.sha256(native.body).digest() != digest:
            raise Refused("replay.missing", "the message in the store is not the one that failed")
        eta = params.get("eta")
        send = getattr(Answering(emitter.engine), Capability.RETRY)
        new_id = send(
            native,
            task_id=task_id,
            queue=params.get("queue"),
            eta=None if eta is None else eta / 1e6,
        )
        return Done(new_id=new_id)

    def _held(self, emitter: Sending, task_id: str) -> Native | None:
        fetch = getattr(Answering(emitter.engine), "fetch", None)
        if fetch is None:
            return None
        try:
            native: Native | None = fetch(task_id).native
        except TaskNotFound:
            return None
        return native

    def _write(self, pending: Pending) -> None:
        store = self._store_of(pending.emitter)
        if store is None:
            self.dropped += 1
            return
        source, native = pending.emitter.source, pending.native
        store.put(
            source.engine, source.app, pending.task_id, native.task, native.body, pending.until_us
        )

    def _store_of(self, emitter: Sending) -> ReplayStore | None:
        key = id(emitter)
        if key not in self._own:
            self._own[key] = _offered(emitter)
        return self._own[key] or self._local()

    def _local(self) -> ReplayStore | None:
        if self._file is None and self.home:
            path = os.path.join(self.home, "replay.sqlite3")  # noqa: PTH118 - sqlite takes text
            self._file = FileReplay(path, MAX_BYTES, self._clock)
        return self._file


def _offered(emitter: Sending) -> ReplayStore | None:
    """The store of the engine's own broker, if it has one that can keep messages."""
    make = getattr(emitter.engine, "replay_store", None)
    if make is None:
        return None
    try:
        store: ReplayStore | None = make()
    except Unsupported:
        return None
    return store
