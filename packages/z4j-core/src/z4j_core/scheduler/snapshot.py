"""All schedules of a group, sealed. The rule: what cannot be proven is not believed.

Sealed means: SHA-256 over the canonical body, and a MAC of that under each live key of the group.
Whoever holds one of these keys can prove a snapshot wherever it was found, also while the brain is
away. Sources: wire.md section 12, scheduling.md section 6.4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from ..errors import StoreError, WireError
from ..wire.codec import list_head, pack, unpack
from ..wire.codes import MAX_SCHEDULES_ARRAY
from ..wire.keys import Credential, mac, same, snapshot_key
from ..wire.replication import LastSlot, Revoked, Schedules, Seal, Upsert
from .lease import Sealed, rev_text

BUCKETS = 256
PAGE_BYTES = 160 << 10
"""Rows of one page of SCHEDULES; a record holds 256 KiB."""
_VERSION = 1
_PIECE = 256
"""Rows that are packed at a time."""
_MANY = 1 << 20
"""Most rows of one list in a store or a file."""


class Snapshot(NamedTuple):
    """The schedules of a group as of one revision.

    `schedules` are canonical bytes (`document.Replica.encoded`) by 16-byte id; `last_slots` is the
    newest slot the brain knows to be settled, as (generation, ms); `store` names the lease store
    where the brain pins one; keys in `revoked` are believed by nobody. `changes`: the era and
    revision this one was made from, and which schedules may differ from there.
    """

    era: int
    revision: int
    project: str
    engine: str
    app: str
    schedules: Mapping[bytes, bytes]
    last_slots: Mapping[bytes, tuple[int, int]]
    store: Mapping[str, Any] | None = None
    revoked: frozenset[tuple[bytes, int]] = frozenset()
    sha: bytes = b""
    seals: Mapping[tuple[bytes, int], bytes] = {}
    changes: tuple[tuple[int, int], frozenset[bytes]] | None = None

    @property
    def stand(self) -> tuple[int, int]:
        """Era and revision: of two snapshots the greater one is newer."""
        return self.era, self.revision

    @property
    def rev(self) -> str:
        """The same as stores compare it."""
        return rev_text(self.era, self.revision)


class Unproven(StoreError):
    """A snapshot is not what was sealed, or was sealed for others. It must not be used."""

    code = "Z4J-E304"


class Gap(StoreError):
    """A delta does not begin where the held snapshot ends: ask for all."""

    code = "store.gap"


def body_sha(snapshot: Snapshot) -> bytes:
    """SHA-256 of the canonical body, a list of nine.

    The body is packed in pieces: whole it would be one more copy of all schedules.
    """
    head = [snapshot.era, snapshot.revision, snapshot.project, snapshot.engine, snapshot.app]
    lists: tuple[Sequence[Any], ...] = (
        sorted(snapshot.schedules.items()),
        [(key, *snapshot.last_slots[key]) for key in sorted(snapshot.last_slots)],
        sorted(snapshot.revoked),
    )
    found = hashlib.sha256(list_head(9))
    for value in (*head, _ordered(snapshot.store)):
        found.update(pack(value))
    for rows in lists:
        found.update(list_head(len(rows)))
        for first in range(0, len(rows), _PIECE):
            piece = rows[first : first + _PIECE]
            found.update(pack(piece)[len(list_head(len(piece))) :])
    return found.digest()


def sealed_for(snapshot: Snapshot, keys: Iterable[Credential]) -> Snapshot:
    """The snapshot with its SHA-256 and a MAC for each key that is not revoked in it."""
    sha = body_sha(snapshot)
    seals = {
        (key.cred_id, key.kid): mac(snapshot_key(key), sha)
        for key in keys
        if (key.cred_id, key.kid) not in snapshot.revoked
    }
    return snapshot._replace(sha=sha, seals=seals)


def prove(snapshot: Snapshot, key: Credential, group: tuple[str, str, str]) -> None:
    """Believe a snapshot, or not. `group` is project, engine and app it must be of.

    Raises:
        Unproven: it must not be used.
    """
    if (snapshot.project, snapshot.engine, snapshot.app) != group:
        raise Unproven("the snapshot is of another group")
    name = (key.cred_id, key.kid)
    seal = snapshot.seals.get(name)
    if seal is None or name in snapshot.revoked:
        raise Unproven("the snapshot is not sealed for this key")
    if not same(seal, mac(snapshot_key(key), snapshot.sha)):
        raise Unproven("the seal of the snapshot is wrong")
    if not same(body_sha(snapshot), snapshot.sha):
        raise Unproven("the snapshot was changed after it was sealed")


def pages(snapshot: Snapshot, since: Snapshot | None = None) -> list[Schedules]:
    """SCHEDULES that lead from `since` to a sealed snapshot; all of it where there is none."""
    old = since if since is not None and since.era == snapshot.era else None
    before: Mapping[bytes, bytes] = old.schedules if old else {}
    slots: Mapping[bytes, tuple[int, int]] = old.last_slots if old else {}
    rows: list[tuple[int, int, Any]] = []
    for key, data in sorted(snapshot.schedules.items()):
        if before.get(key) != data:
            rows.append((0, len(data) + 24, Upsert(key, data)))
    gone = sorted(before.keys() - snapshot.schedules.keys())
    rows += [(1, 18, key) for key in gone]
    for key, slot in sorted(snapshot.last_slots.items()):
        if slots.get(key) != slot or key in gone:
            rows.append((2, 36, LastSlot(key, *slot)))
    parts = list(_parts(rows))
    seals = tuple(Seal(*name, seal) for name, seal in sorted(snapshot.seals.items()))
    revoked = tuple(Revoked(*name) for name in sorted(snapshot.revoked)) or None
    store = dict(snapshot.store) if snapshot.store is not None else None
    return [
        Schedules(
            snapshot.engine, snapshot.app, snapshot.era, old.revision if old else 0,
            snapshot.revision, number, len(parts), upserts, deletes, newest, store, revoked,
            snapshot.sha, seals,
        )
        for number, (upserts, deletes, newest) in enumerate(parts)
    ]  # fmt: skip


def applied(held: Snapshot | None, project: str, parts: Sequence[Schedules]) -> Snapshot:
    """A copy of the held snapshot with all pages of one change put in; nothing is proven yet.

    Raises:
        Gap: the change begins at another revision than the held one.
        StoreError: it is no newer than what is held.
    """
    first = parts[0]
    if held is not None and (first.era, first.to) <= held.stand:
        raise StoreError("the snapshot is older than the one that is held")
    schedules: dict[bytes, bytes] = {}
    slots: dict[bytes, tuple[int, int]] = {}
    changes = None
    if first.from_:
        if held is None or (held.era, held.revision) != (first.era, first.from_):
            raise Gap(f"a change since revision {first.from_}, which is not held")
        schedules, slots = dict(held.schedules), dict(held.last_slots)
        upserted = {upsert[0] for part in parts for upsert in part.upserts}
        changes = held.stand, frozenset(upserted.union(*(part.deletes for part in parts)))
    for part in parts:
        for key in part.deletes:
            schedules.pop(key, None)
            slots.pop(key, None)
    for part in parts:
        schedules.update(part.upserts)
        slots.update({slot.id: (slot.generation, slot.slot) for slot in part.last_slots})
    return Snapshot(
        first.era, first.to, project, first.engine, first.app, schedules, slots, first.store,
        frozenset((each.cred_id, each.kid) for each in first.revoked or ()), first.body_sha,
        {(seal.cred_id, seal.kid): seal.mac for seal in first.macs}, changes,
    )  # fmt: skip


def bucketed(snapshot: Snapshot, since: Snapshot | None = None) -> Sealed:
    """A sealed snapshot as stores keep it; with `since` only the buckets that differ from that.

    Without it all buckets are there, the empty ones too: they replace what a store has.
    """
    ours, theirs = _buckets(snapshot), _buckets(since) if since is not None else None
    numbers = [number for number in range(BUCKETS)
               if theirs is None or ours.get(number) != theirs.get(number)]  # fmt: skip
    buckets = {number: pack(ours.get(number, [])) for number in numbers}
    return Sealed(snapshot.rev, _head(snapshot), buckets)


def unbucketed(kept: Sealed) -> Snapshot:
    """The snapshot a store kept; nothing is proven yet.

    Raises:
        Unproven: it cannot be read.
    """
    return _read(kept.head, kept.buckets.values())


def written(snapshot: Snapshot) -> bytes:
    """A sealed snapshot as one file."""
    return pack([_head(snapshot), [pack(rows) for rows in _buckets(snapshot).values()]])


def read(data: bytes) -> Snapshot:
    """The snapshot a file holds; nothing is proven yet.

    Raises:
        Unproven: it cannot be read.
    """
    try:
        head, buckets = unpack(data)
    except (WireError, ValueError, TypeError) as error:
        raise Unproven("the snapshot cannot be read") from error
    return _read(head, buckets)


def _read(head: bytes, buckets: Iterable[bytes]) -> Snapshot:
    schedules: dict[bytes, bytes] = {}
    slots: dict[bytes, tuple[int, int]] = {}
    try:
        _, era, revision, project, engine, app, store, revoked, sha, seals = unpack(head)
        for bucket in buckets:
            for key, data, slot in unpack(bucket, max_array=_MANY):
                if data is not None:
                    schedules[key] = data
                if slot is not None:
                    slots[key] = (slot[0], slot[1])
        return Snapshot(
            era, revision, project, engine, app, schedules, slots, store,
            frozenset((cred_id, kid) for cred_id, kid in revoked), sha,
            {(cred_id, kid): seal for cred_id, kid, seal in seals},
        )  # fmt: skip
    except (WireError, ValueError, TypeError, IndexError) as error:
        raise Unproven("the snapshot cannot be read") from error


def _head(snapshot: Snapshot) -> bytes:
    return pack([
        _VERSION, snapshot.era, snapshot.revision, snapshot.project, snapshot.engine, snapshot.app,
        _ordered(snapshot.store), [list(key) for key in sorted(snapshot.revoked)], snapshot.sha,
        [[*name, seal] for name, seal in sorted(snapshot.seals.items())],
    ])  # fmt: skip


def _buckets(snapshot: Snapshot) -> dict[int, list[Any]]:
    """Rows [id, schedule, last slot] by bucket, in the order of their ids."""
    found: dict[int, list[Any]] = {}
    for key in sorted(snapshot.schedules.keys() | snapshot.last_slots.keys()):
        row = [key, snapshot.schedules.get(key), snapshot.last_slots.get(key)]
        found.setdefault(crc32(key) % BUCKETS, []).append(row)
    return found


_Many = tuple[Any, ...]


def _parts(rows: Iterable[tuple[int, int, Any]]) -> Iterator[tuple[_Many, _Many, _Many]]:
    """Upserts, deletes and slots of one page after the other; there is always one."""
    lists: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    spent = 0
    for which, size, row in rows:
        if spent and (spent + size > PAGE_BYTES or len(lists[which]) >= MAX_SCHEDULES_ARRAY):
            yield tuple(lists[0]), tuple(lists[1]), tuple(lists[2])
            lists, spent = ([], [], []), 0
        lists[which].append(row)
        spent += size
    yield tuple(lists[0]), tuple(lists[1]), tuple(lists[2])


def _ordered(store: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if store is None else {name: store[name] for name in sorted(store)}
