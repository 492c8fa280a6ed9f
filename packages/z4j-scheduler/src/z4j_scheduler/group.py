"""One group that is fired from here. The rule: only while the brain says that it is central."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from z4j_core.agent.errands import TIMEOUT_S, Errands
from z4j_core.agent.hosting.leading import ttl_of
from z4j_core.agent.items import Source
from z4j_core.agent.shelf import Shelf
from z4j_core.clock import Clock
from z4j_core.config import Settings
from z4j_core.scheduler.leader import Loop
from z4j_core.scheduler.leader import Settings as Leading
from z4j_core.scheduler.leases.calls import Answer
from z4j_core.wire.bodies import Group as Told
from z4j_core.wire.bodies import Want
from z4j_core.wire.replication import Schedules

from .delivery import Delivery
from .lines import Lines
from .store import CentralStore

CENTRAL = "central"
SCHEDULES = 64
"""Kind of WANT."""
ASKED_S = 10.0
Note = Callable[[str, str], object]


class Tools(NamedTuple):
    """What the groups of one process share."""

    settings: Settings
    clock: Clock
    entropy: Callable[[int], bytes]
    errands: Errands
    note: Note


class Group:
    """Leads a group or stands by to, as long as it is central; used by the session's thread."""

    def __init__(self, source: Source, tools: Tools) -> None:
        self.source = source
        self.shelf = Shelf(source, tools.settings, None, tools.note)
        self.shelf.listeners.append(self._changed)
        self._tools = tools
        self._lines = Lines(self._ask)
        self._loop: Loop | None = None
        self._store: CentralStore | None = None
        self._newest: tuple[int, int] = (0, 0)
        self._asked_at = 0.0
        self._wants_anew = False
        self._is_stopped = False

    @property
    def is_central(self) -> bool:
        """Whether this group is fired from here, as far as the brain has said."""
        held = self.shelf.held
        store = held.store if held is not None else None
        return bool(store and store.get("mode") == CENTRAL and store.get("kind") != "none")

    @property
    def is_leading(self) -> bool:
        """Whether this process fires it now, as far as it knows."""
        return self._loop is not None and self._loop.is_leading

    def told(self) -> Told:
        """The group as REGISTER and UPDATE tell it."""
        engine, app = self.source
        return Told(engine, app, self.is_central, *self.shelf.stand)

    def named(self, era: int, revision: int) -> list[Want]:
        """Hear what the brain has; what is wanted of it."""
        self._newest = max(self._newest, (era, revision))
        return self.wants()

    def wants(self) -> list[Want]:
        """What is wanted of the brain by now, each once in a while."""
        now, wants_anew = self._tools.clock.monotonic(), self._wants_anew
        if now < self._asked_at or (self._newest <= self.shelf.stand and not wants_anew):
            return []
        self._asked_at, self._wants_anew = now + ASKED_S, False
        era, revision = self.shelf.stand
        have = 0 if wants_anew or era != self._newest[0] else revision
        return [Want(SCHEDULES, *self.source, have)]

    def take(self, page: Schedules) -> list[Want]:
        """Take a page of SCHEDULES; what is wanted because of it."""
        self._newest = max(self._newest, (page.era, page.to))
        verdict = self.shelf.take(page)
        return [Want(SCHEDULES, *self.source, 0)] if verdict.wants_all else []

    def wake(self) -> None:
        """A lease was released somewhere: perhaps this one."""
        if self._store is not None:
            self._store.wake()

    def stop(self, timeout_s: float) -> None:
        """Hand over; waits at most `timeout_s` seconds, 0 from the session's thread."""
        self._is_stopped = True
        self._end(timeout_s)

    def _changed(self) -> None:
        """Begin, go on or end, as the newest schedules say."""
        if not self.is_central or self._is_stopped:
            self._end(0.0)
        elif self._loop is None:
            self._begin()
        else:
            self._loop.wake()

    def _begin(self) -> None:
        tools = self._tools
        store = CentralStore(self._ask, tools.clock.boottime, self._lines)
        host = Delivery(
            lambda: self.shelf.held, store, self._ask, self._lines, tools.note, self._refresh
        )
        owner = str(UUID(bytes=tools.entropy(16), version=4))
        held = self.shelf.held
        ttl_ms = ttl_of(held.store if held is not None else None)
        leading = Leading(owner=owner, fp=fingerprint(self.source), ttl_ms=ttl_ms)
        self._store = store
        self._loop = Loop(store, host, tools.clock, leading, tools.entropy)
        self._loop.start()

    def _refresh(self) -> None:
        """Let the brain be asked for all it has; called by threads of the leader."""
        self._wants_anew, self._asked_at = True, 0.0

    def _end(self, timeout_s: float) -> None:
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.stop(timeout_s)

    def _ask(self, op: int, args: Any, timeout_s: float = TIMEOUT_S) -> Answer:
        return self._tools.errands.ask(*self.source, op, args, timeout_s)


def fingerprint(source: Source) -> str:
    """What stands for the broker of a group that is fired through the brain."""
    return hashlib.sha256("\0".join((CENTRAL, *source)).encode()).hexdigest()[:32]
