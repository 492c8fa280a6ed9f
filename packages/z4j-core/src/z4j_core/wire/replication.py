"""Bodies that carry schedules, leases and their answers. The rule: schedules travel sealed."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from .codes import MAX_SCHEDULES_ARRAY
from .schema import (
    I8,
    I64,
    U8,
    U16,
    U32,
    U64,
    Array,
    AtMost,
    Bin,
    Bin16,
    Bin32,
    Map,
    Str32,
    Str128,
)


class Upsert(NamedTuple):
    """A schedule as canonical bytes."""

    id: Bin16
    bytes: Bin


class LastSlot(NamedTuple):
    """Newest slot a schedule was settled for."""

    id: Bin16
    generation: U32
    slot: I64


class Revoked(NamedTuple):
    """A key that must not be believed any more."""

    cred_id: Bin16
    kid: U8


class Seal(NamedTuple):
    """MAC of a snapshot for one live key."""

    cred_id: Bin16
    kid: U8
    mac: Bin32


_Many = AtMost(MAX_SCHEDULES_ARRAY)


class Schedules(NamedTuple):
    """SCHEDULES: a full state (`from_` 0) or a delta, sealed for every live key of the group."""

    engine: Str32
    app: Str128
    era: U32
    from_: U64
    to: U64
    page: U16
    pages: U16
    upserts: Annotated[tuple[Upsert, ...], _Many]
    deletes: Annotated[tuple[Bin16, ...], _Many]
    last_slots: Annotated[tuple[LastSlot, ...], _Many]
    store: Map | None
    revoked: tuple[Revoked, ...] | None
    body_sha: Bin32
    macs: tuple[Seal, ...]


class Lease(NamedTuple):
    """LEASE: one operation on the brain as a lease store."""

    req: U32
    op: U8
    engine: Str32
    app: Str128
    args: Array


class Leased(NamedTuple):
    """LEASED: its answer; status 0 is ok."""

    req: U32
    status: I8
    values: Array
