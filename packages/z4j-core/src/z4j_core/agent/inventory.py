"""What snapshots there are and which the brain asked for.

The rule: only the agent that is asked counts the queues of a broker, and only while it is asked.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING

from ..wire import bodies
from ..wire.bodies import Beat
from .boundary import Emitter, find_emitter
from .deployed import report
from .heartbeat import beat, unknown
from .snapshots import DECLARED, QUEUES, TASKS, WORKERS, Snapshot, of_queues, of_tasks, of_workers

if TYPE_CHECKING:
    from .process import Process

ASKED_FOR_S = 60.0
Key = tuple[int, str, str]


class Inventory:
    """Snapshots of one session."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._asked: dict[Key, float] = {}
        self._held: dict[Key, Snapshot] = {}

    def beat(self, number: int) -> Beat:
        """BEAT with the hashes of all snapshots as of now."""
        process = self._process
        assert process.spool is not None
        entries = []
        for emitter in process.emitters:
            for kind in (TASKS, QUEUES, WORKERS):
                entry = emitter.quietly(partial(self._entry, kind, emitter))
                entries += [entry] if entry is not None else []
        declared = report(process.settings)
        if declared is not None:
            entries.append(bodies.Inventory(DECLARED, *declared.source, declared.hash))
        usage = dataclasses.replace(process.spool.usage(), lost=process.lost)
        return beat(number, process.clock, usage, process.emitters, entries)

    def pages(self, kind: int, engine: str, app: str) -> list[bodies.Snapshot]:
        """SNAPSHOT bodies in answer to WANT."""
        if kind == DECLARED:
            declared = report(self._process.settings)
            return [bodies.Snapshot(*page) for page in declared.pages()] if declared else []
        emitter = self._emitter(engine, app)
        if emitter is None or kind not in (TASKS, QUEUES, WORKERS):
            return []
        key = (kind, engine, app)
        self._asked[key] = self._process.clock.monotonic()
        held = self._held.get(key) if kind != QUEUES else None
        held = held or emitter.quietly(partial(self._taken, kind, emitter))
        return [bodies.Snapshot(*page) for page in held.pages()] if held is not None else []

    def _entry(self, kind: int, emitter: Emitter) -> bodies.Inventory:
        source = emitter.source
        asked = self._asked.get((kind, source.engine, source.app))
        is_asked = asked is not None and self._process.clock.monotonic() - asked < ASKED_FOR_S
        if kind == QUEUES and not is_asked:
            return unknown(kind, emitter)
        taken = self._taken(kind, emitter)
        return bodies.Inventory(kind, source.engine, source.app, taken.hash)

    def _taken(self, kind: int, emitter: Emitter) -> Snapshot:
        if kind == TASKS:
            taken = of_tasks(emitter, emitter.tasks)
        elif kind == QUEUES:
            taken = of_queues(emitter, self._process.clock)
        else:
            taken = of_workers(emitter)
        source = emitter.source
        self._held[(kind, source.engine, source.app)] = taken
        return taken

    def _emitter(self, engine: str, app: str) -> Emitter | None:
        return find_emitter(self._process.emitters, engine, app)
