"""Who edits schedules, and what was asked for. The rule: the oracle asks no scheduler."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sched_promises import EXPLAINED, holds
from z4j_core.scheduler.document import Replica, read_definition
from z4j_core.scheduler.leader import Status
from z4j_core.scheduler.snapshot import Snapshot

FATES = {Status.SKIPPED, Status.EXPIRED, Status.REFUSED, Status.FAILED, Status.BUFFERED}
SETTLED_MS = 120_000
"""A slot is asked for when its version was in force so much longer."""
CATCHUP_MAX = 3


class Version(NamedTuple):
    """One state of a schedule: in force from a time on. `every_ms` 0: it does not fire."""

    since_ms: int
    every_ms: int
    generation: int


@lru_cache(4096)
def definition(every_ms, overlap, catchup, delivery, extra):
    """A definition; equal ones are made once."""
    return read_definition({
        "name": "one", "task": "shop.work", "delivery": delivery, "overlap": overlap,
        "specs": [{"kind": "interval", "every": every_ms / 1000, "anchor": "epoch"}],
        "catchup": catchup, "catchup_max": CATCHUP_MAX, "description": extra,
        "grace_s": 40, "overlap_timeout_s": 60,
        "dispatch": {"max_tries": 3, "max_age_s": 60},
    })  # fmt: skip


class Brain:
    """The schedules as they are meant to be."""

    def __init__(self, world):
        self.world = world
        self.revision = 0
        self.rows = {}
        self.versions = {}
        self.made = 0
        for _ in range(world.rng.choice((1, 2, 3))):
            self.add()

    def add(self):
        """A new schedule."""
        rng, self.made = self.world.rng, self.made + 1
        every = rng.choice((4_000, 5_000, 10_000, 20_000))
        overlap = rng.choice(("allow", "allow", "skip", "buffer_one", "buffer_all", "cancel_other"))
        catchup = rng.choice(("fire_one", "fire_all", "skip"))
        delivery = rng.choice(("effectively_once", "effectively_once", "at_most_once"))
        self.revision += 1
        now = self.world.store_ms()
        name = str(UUID(int=self.made))
        self.rows[name] = Replica(
            name, 1, self.revision, now, now, definition(every, overlap, catchup, delivery, "")
        )
        self.versions[name] = [Version(now, every, 1)]

    def edit(self):
        """Somebody changes something."""
        rng, now = self.world.rng, self.world.store_ms()
        if not self.rows:
            return self.add()
        name = rng.choice(sorted(self.rows))
        row = self.rows[name]
        self.revision += 1
        last = self.versions[name][-1]
        kind = rng.choice(("args", "timing", "timing", "pause", "delete"))
        old = row.definition
        every = rng.choice((4_000, 5_000, 10_000)) if kind == "timing" else self.every(row)
        new = definition(
            every, old.rules.overlap, old.rules.catchup, old.delivery, f"{self.revision}"
        )
        values = {"revision": self.revision, "definition": new}
        if kind == "timing":
            values |= {"generation": row.generation + 1, "effective_ms": now}
        if kind == "delete":
            del self.rows[name]
            self.versions[name].append(Version(now, 0, last.generation))
            return None
        if kind == "pause":
            values["paused"] = not row.paused
            values["not_before_ms"] = now if row.paused else row.not_before_ms
        self.rows[name] = row = Replica(**{**fields(row), **values})
        shown = 0 if row.paused else every
        if (shown, row.generation) != (last.every_ms, last.generation):
            since = max(now, row.not_before_ms)  # a clock that went back does not undo a resume
            self.versions[name].append(Version(since, shown, row.generation))
        return None

    def every(self, row):
        """Milliseconds between slots."""
        return row.definition.trigger.specs[0].every_ms

    def snapshot(self):
        """All of it, as agents get it."""
        rows = {UUID(name).bytes: encoded(row) for name, row in self.rows.items()}
        return Snapshot(1, self.revision, "p", "e", "a", rows, {})

    def whole(self):
        """The same with how far schedules have come, as agents get it that ask for everything."""
        last = {}
        for fact in self.world.facts:
            if fact.schedule in self.rows and fact.nonce is None:
                key, stand = UUID(fact.schedule).bytes, (fact.generation, fact.slot_ms)
                last[key] = max(last.get(key, stand), stand)
        return self.snapshot()._replace(last_slots=last)

    def account(self, until_ms):
        """Each slot that was asked for has a fate."""
        fired = {fact[1] for fact in self.world.placed}
        told, missed, older = set(), [], {}
        for fact in self.world.facts:
            key = (fact.schedule, fact.generation + 1)
            older[key] = max(older.get(key, 0), fact.slot_ms)
            lost = fact.status is Status.CLAIMED and self.world.flushed
            if lost or fact.status in FATES or fact.status is Status.SENT:
                told.add((fact.schedule, fact.slot_ms))
            elif fact.status is Status.MISSED:
                last = int(fact.reason.partition("the last ")[2].partition(",")[0])
                missed.append((fact.schedule, fact.slot_ms, last))
        for name, versions in self.versions.items():
            ends = [version.since_ms for version in versions[1:]] + [until_ms + SETTLED_MS]
            for version, end in zip(versions, ends, strict=True):
                first = max(older.get((name, n + 1), 0) for n in range(version.generation))
                for slot in slots(version, min(end - SETTLED_MS, until_ms)):
                    holds(
                        EXPLAINED,
                        slot <= first
                        or (name, slot) in told
                        or (name, slot) in fired
                        or any(n == name and a <= slot <= b for n, a, b in missed),
                        f"{name[-2:]} generation {version.generation} slot {slot}",
                    )


def fields(row):
    """The fields of a replica."""
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def slots(version, upto_ms):
    """The slots of a version, up to a time."""
    if not version.every_ms:
        return ()
    first = version.since_ms // version.every_ms + 1
    return range(first * version.every_ms, upto_ms + 1, version.every_ms)


_ENCODED = {}


def encoded(row):
    """Bytes of a replica; made once."""
    found = _ENCODED.get(id(row))
    if found is None or found[0] is not row:
        found = _ENCODED[id(row)] = (row, row.encoded())
    return found[1]
