"""Typed decoding of items. The rule: nothing untyped is decoded, and one bad item costs one item.

Positions are those of the wire; trailing positions of newer agents are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, cast

import msgspec
from msgspec import Meta, Raw, Struct

U8 = Annotated[int, Meta(ge=0, le=255)]
U16 = Annotated[int, Meta(ge=0, le=65_535)]
U32 = Annotated[int, Meta(ge=0, le=4_294_967_295)]
Pos31 = Annotated[int, Meta(ge=0, le=2_147_483_647)]
I32 = Annotated[int, Meta(ge=-2_147_483_648, le=2_147_483_647)]
Pos63 = Annotated[int, Meta(ge=0, le=9_223_372_036_854_775_807)]
I63 = Annotated[int, Meta(ge=-9_223_372_036_854_775_808, le=9_223_372_036_854_775_807)]
State = Annotated[int, Meta(ge=0, le=9)]
Kind = Annotated[int, Meta(ge=0, le=127)]
Ident = Annotated[str, Meta(min_length=1, max_length=256)]
Name = Annotated[str, Meta(max_length=256)]
Engine = Annotated[str, Meta(min_length=1, max_length=32)]
App = Annotated[str, Meta(max_length=128)]
Id16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Words = Annotated[str, Meta(max_length=8_192)]
Small = Annotated[dict[str, str], Meta(max_length=16)]

NOTHING = Raw(b"\xc0")


class Preview(Struct, array_like=True, frozen=True, gc=False):
    """A bounded text for eyes: flags, original size in bytes, text."""

    flags: U8
    size: Pos63
    text: Words


class Task(Struct, array_like=True, tag=1, frozen=True, gc=False):
    """One fact about a task."""

    kind: Kind
    state: State
    at: Pos63
    engine: Engine
    app: App
    task_id: Ident
    run: U16 = 0
    attempt: U16 = 0
    name: Name | None = None
    queue: Name | None = None
    worker: Name | None = None
    pid: Pos31 | None = None
    enqueued: Pos63 | None = None
    eta: Pos63 | None = None
    start: Pos63 | None = None
    end: Pos63 | None = None
    runtime: Pos63 | None = None
    expires: Pos63 | None = None
    priority: I32 | None = None
    tries_left: U16 | None = None
    timeout_ms: U32 | None = None
    args: Preview | None = None
    kwargs: Preview | None = None
    result: Preview | None = None
    exc_type: Name | None = None
    exc_message: Preview | None = None
    traceback: Preview | None = None
    root: Name | None = None
    parent: Name | None = None
    group: Name | None = None
    retry_of: Name | None = None
    via: U8 | None = None
    cmd_id: Id16 | None = None
    schedule: Name | None = None
    fire_id: Id16 | None = None
    slot: I63 | None = None
    trace: Name | None = None
    replayable_until: Pos63 | None = None
    flags: U16 | None = None
    route: Name | None = None
    headers: Small | None = None
    tags: Small | None = None
    extra: Raw = NOTHING
    received: Pos63 | None = None


class Lost(Struct, array_like=True, tag=0, frozen=True, gc=False):
    """Facts that will never arrive; `to` spans offsets, 0 = only its own."""

    reason: U8
    n: Pos63
    to: Pos63 = 0
    first: Pos63 | None = None
    last: Pos63 | None = None
    states: dict[int | str, int] | None = None


class Progress(Struct, array_like=True, tag=2, frozen=True, gc=False):
    """How far a running task is; the newest wins."""

    at: Pos63
    engine: Engine
    app: App
    task_id: Ident
    run: U16
    attempt: U16
    current: float
    total: float | None = None
    text: Name | None = None
    meta: Preview | None = None


class Target(Struct, array_like=True, frozen=True):
    """What became of one target of a command."""

    index: U16
    code: U8
    new_id: Name | None = None
    detail: Annotated[str, Meta(max_length=2_048)] | None = None


class Result(Struct, array_like=True, tag=3, frozen=True, gc=False):
    """What became of a command."""

    at: Pos63
    cmd_id: Id16
    state: U8
    code: Name = ""
    detail: Annotated[str, Meta(max_length=2_048)] | None = None
    evidence: Raw = NOTHING
    targets: Annotated[list[Target], Meta(max_length=200)] | None = None
    rule: Words | None = None
    took_ms: U32 | None = None


class Fire(Struct, array_like=True, tag=4, frozen=True, gc=False):
    """One line of the ledger of fires; `slot` and `lag_ms` are milliseconds."""

    at: Pos63
    engine: Engine
    app: App
    schedule: Id16
    generation: U32
    slot: I63
    nonce: Annotated[str, Meta(max_length=64)] | None
    fire_id: Id16
    status: Annotated[int, Meta(ge=1, le=9)]
    trigger: Annotated[int, Meta(ge=1, le=6)]
    epoch: Pos63
    revision: Pos63
    due: Pos63
    lag_ms: I63
    enq: U16
    count: U32
    slot_local: Annotated[str, Meta(max_length=64)]
    fold: Annotated[int, Meta(ge=0, le=1)]
    reason: Name | None = None
    actor: Name | None = None


class Worker(Struct, array_like=True, tag=5, frozen=True, gc=False):
    """A worker came, stalls or went."""

    at: Pos63
    engine: Engine
    app: App
    worker: Ident
    what: U8
    reason: Words | None = None
    meta: Raw = NOTHING


class Note(Struct, array_like=True, tag=6, frozen=True, gc=False):
    """Something an operator should know about an agent."""

    at: Pos63
    level: U8
    code: Name
    text: Preview
    engine: Engine | None = None
    app: App | None = None


@dataclass(frozen=True, slots=True)
class Poison:
    """An item that cannot be read: at most 512 bytes of it are kept."""

    body: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An item of a kind this brain does not know: counted, not stored."""

    tag: int


Item: TypeAlias = Task | Lost | Progress | Result | Fire | Worker | Note | Poison | Unknown
_Known: TypeAlias = Task | Lost | Progress | Result | Fire | Worker | Note

_ALL = msgspec.msgpack.Decoder(list[_Known])
_ONE = msgspec.msgpack.Decoder(_Known)
_RAW = msgspec.msgpack.Decoder(list[Raw])


class _Tag(Struct, array_like=True):
    tag: int


_FREE = msgspec.msgpack.Decoder(dict[str, Any])
_TAG = msgspec.msgpack.Decoder(_Tag)
KNOWN_TAGS = frozenset({0, 1, 2, 3, 4, 5, 6})
BAD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError, ValueError)


def decode_items(body: bytes | memoryview | Raw) -> list[Item]:
    """Items of one EVENTS record, each at its own position.

    Raises:
        msgspec.DecodeError: the list itself cannot be read; the session must end.
    """
    try:
        return cast("list[Item]", _ALL.decode(body))
    except BAD:
        return [_decode_one(raw) for raw in _RAW.decode(body)]


def _decode_one(raw: Raw) -> Item:
    try:
        known: _Known = _ONE.decode(raw)
    except BAD as error:
        tag = _tag(raw)
        if tag is not None and tag not in KNOWN_TAGS:
            return Unknown(tag)
        return Poison(bytes(raw)[:512], str(error)[:200])
    return known


def _tag(raw: Raw) -> int | None:
    try:
        return _TAG.decode(raw).tag
    except BAD:
        return None


def opened(raw: Raw, limit: int = 16_384) -> Any:
    """A small free document; None when absent, larger than `limit` bytes or unreadable."""
    if not 1 < len(memoryview(raw)) <= limit:
        return None
    try:
        return msgspec.to_builtins(_FREE.decode(raw), str_keys=True)
    except BAD:
        return None
