"""Schedules of a fake brain. The rule: what is published goes out as the real brain sends it.

brain.schedules.publish("celery", "shop", {replica.id: replica.encoded()})
brain.schedules.store_of = lambda group: a_lease_store      # what LEASE is answered from
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from z4j_core.scheduler.lease import LeaseStore, group_of
from z4j_core.scheduler.leases.calls import Answer, Status, serve
from z4j_core.scheduler.snapshot import Snapshot, pages, sealed_for
from z4j_core.wire import Credential
from z4j_core.wire.bodies import Newest, Want
from z4j_core.wire.replication import Lease, Leased, Schedules

SCHEDULES = 64
Key = tuple[str, str]


class Change:
    """A revision and the one before it."""

    def __init__(self, found: Snapshot, before: Snapshot | None) -> None:
        self.found = found
        self._before = before

    def pages_for(self, era: int, revision: int) -> list[Schedules]:
        """What leads a holder of that revision to this one."""
        since = self._before if self._before and self._before.stand == (era, revision) else None
        return pages(self.found, since)


class Groups:
    """Every group's newest snapshot, and who hears of it."""

    def __init__(self, project: str, keys: Callable[[], Iterable[Credential]]) -> None:
        self.project = project
        self.era = 1
        self.groups: dict[Key, Snapshot] = {}
        self.store_of: Callable[[str], LeaseStore] | None = None
        self.asked: list[Lease] = []
        """Every LEASE that came in."""
        self._keys = keys
        self._stores: dict[str, LeaseStore] = {}
        self._lock = threading.Lock()

    def next(self, engine: str, app: str, schedules: Mapping[str, bytes], **more: Any) -> Snapshot:
        """The next revision of a group, sealed for every key there is."""
        before = self.groups.get((engine, app))
        revision = before.revision + 1 if before and before.era == self.era else 1
        rows = {UUID(name).bytes: data for name, data in schedules.items()}
        slots = more.pop("last_slots", {})
        found = Snapshot(self.era, revision, self.project, engine, app, rows, slots, **more)
        return sealed_for(found, self._keys())

    def publish(self, engine: str, app: str, schedules: Mapping[str, bytes], **more: Any) -> Change:
        """Make a revision the newest one of its group; what to send for it."""
        with self._lock:
            before = self.groups.get((engine, app))
            found = self.groups[engine, app] = self.next(engine, app, schedules, **more)
            return Change(found, before)

    def newest(self) -> tuple[Newest, ...]:
        """The groups as WELCOME names them."""
        return tuple(Newest(*key, s.era, s.revision) for key, s in self.groups.items())

    def wanted(self, want: Want) -> list[Schedules]:
        """All of a group, in answer to WANT."""
        found = self.groups.get((want.engine, want.app))
        return pages(found) if found is not None and want.kind == SCHEDULES else []

    def leased(self, asked: Lease) -> Leased:
        """The answer to LEASE; one store per group, made when it is needed."""
        self.asked.append(asked)
        with self._lock:
            group = group_of(self.project, asked.engine, asked.app)
            if group not in self._stores and self.store_of is not None:
                self._stores[group] = self.store_of(group)
            store = self._stores.get(group)
        none = Answer(Status.UNAVAILABLE, ["no store"])
        answer = serve(store, asked.op, asked.args) if store is not None else none
        return Leased(asked.req, answer.status, list(answer.values))
