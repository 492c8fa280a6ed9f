"""What agents get of a group: all its schedules as bytes, at one revision. The rule: sealed by key.

`Copy` is kept between edits, so that an edit reads the rows it changed and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from z4j_core.scheduler.document import days_off_json, row_of
from z4j_core.scheduler.snapshot import Snapshot, sealed_for
from z4j_core.scheduler.workdays import DaysOff
from z4j_core.wire.keys import Credential

from . import modes, store
from .store import DELTAS, Place
from .written import days_off

Json = dict[str, Any]


@dataclass(slots=True)
class Copy:
    """A group as of a revision: schedules with the revision of each, and what is settled."""

    era: int = 0
    revision: int = 0
    rows: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    last_slots: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    gone: dict[bytes, int] = field(default_factory=dict)
    store: Json | None = None

    @property
    def stand(self) -> tuple[int, int]:
        """Era and revision."""
        return self.era, self.revision


def encoded(row: Any, days: Mapping[str, DaysOff]) -> bytes:
    """A row as agents hold it: the bytes of `Replica.encoded`, without reading the document."""
    document: Json = json.loads(row.document)
    named = {each["ref"] for each in document["calendars"]}
    document |= {
        "id": row.id, "generation": row.generation, "revision": row.revision,
        "created_ms": row.created // 1000, "effective_ms": row.effective_ms,
        "not_before_ms": row.not_before_ms, "enabled": row.enabled, "paused": row.paused,
        "paused_until_ms": row.paused_until_ms,
        "days_off": {name: days_off_json(days[name]) for name in sorted(named) if name in days},
    }  # fmt: skip
    return row_of(document)


def newest(conn: Connection, place: Place, known: Copy | None) -> Copy:
    """The group as it is now; what has not changed is taken from a copy that was made before."""
    group = store.group(conn, place)
    if group is None:
        return Copy()
    found = Copy(group.era, group.revision, store=modes.told(group))
    since = 0
    if known is not None and known.era == group.era and known.revision <= group.revision:
        since = known.revision
        found.rows, found.gone = dict(known.rows), dict(known.gone)
    days = days_off(conn, place.project_id)
    for row in store.of_group(conn, place, since):
        found.rows[key_of(row.id)] = (row.revision, encoded(row, days))
    for schedule_id, revision in store.gone(conn, place, max(since, group.revision - DELTAS)):
        found.rows.pop(key_of(schedule_id), None)
        found.gone[key_of(schedule_id)] = revision
    found.last_slots = {
        key_of(schedule_id): (generation, slot)
        for schedule_id, generation, slot in store.last_slots(conn, place)
    }
    return found


def key_of(schedule_id: str) -> bytes:
    """The id of a schedule on the wire."""
    return UUID(schedule_id).bytes


def sealed(
    copy: Copy, slug: str, place: Place, keys: Iterable[Credential],
    revoked: Iterable[tuple[bytes, int]],
) -> Snapshot:  # fmt: skip
    """A copy with a seal for each key."""
    whole = Snapshot(
        copy.era, copy.revision, slug, place.engine, place.app,
        {key: data for key, (_, data) in copy.rows.items()}, copy.last_slots,
        store=copy.store, revoked=frozenset(revoked),
    )  # fmt: skip
    return sealed_for(whole, keys)


def base(copy: Copy, whole: Snapshot, stand: tuple[int, int]) -> Snapshot | None:
    """What whoever stands there holds, as far as it matters for the way to `whole`.

    None when the way is not known any more, and all must be sent. Which last slots it holds is
    never known: all of them go along.
    """
    era, revision = stand
    if era != copy.era or not copy.revision - DELTAS <= revision < copy.revision or not revision:
        return None
    held = {key: data for key, (since, data) in copy.rows.items() if since <= revision}
    held |= {key: b"" for key, since in copy.gone.items() if since > revision}
    return whole._replace(revision=revision, schedules=held, last_slots={})
