"""Items: one fact each. The rule: element n of the tuple is position n of the wire, tag first."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

from .codec import pack, unpack
from .codes import MAX_ITEM_BYTES, Fault, fault
from .schema import (
    F64,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bin16,
    Labels16,
    Map,
    Str2K,
    Str8K,
    Str32,
    Str64,
    Str128,
    Str200,
    Str256,
    Str512,
    Time,
    TraceParent,
    cut,
    read_row,
)


class Tag(IntEnum):
    """First element of an item."""

    LOST = 0
    TASK = 1
    PROGRESS = 2
    RESULT = 3
    FIRE = 4
    WORKER = 5
    NOTE = 6


MAX_TAG = max(Tag)


class PreviewFlag(IntEnum):
    """Why a preview is not the whole truth; 0 is full."""

    FULL = 0
    REDACTED = 1
    TRUNCATED = 2
    OPAQUE = 4
    WITHHELD = 8


class LostReason(IntEnum):
    """Why items never arrived."""

    EVICTED = 1
    DISK_FULL = 2
    CORRUPT = 3
    MEMORY_RING = 4
    SHED = 5
    REFUSED = 6
    HOOK_OVERLOAD = 7


class Preview(NamedTuple):
    """Text for eyes; `size` is the bytes of the original, `flags` a sum of PreviewFlag."""

    flags: U8
    size: U32
    text: Str8K


class Lost(NamedTuple):
    """`n` events are missing; offsets up to `to` are spanned (0: only its own)."""

    tag: U8
    reason: U8
    n: U64
    to: U64
    first: Time | None = None
    last: Time | None = None
    per_state: Map | None = None


class Task(NamedTuple):
    """What happened to a task. Times µs since 1970, `runtime` µs, `slot` ms."""

    tag: U8
    kind: U8
    state: U8
    at: Time
    engine: Str32
    app: Str128
    task_id: Str256
    run: U16 = 0
    attempt: U16 = 0
    name: Str256 | None = None
    queue: Str256 | None = None
    worker: Str256 | None = None
    pid: U32 | None = None
    enqueued: Time | None = None
    eta: Time | None = None
    start: Time | None = None
    end: Time | None = None
    runtime: U64 | None = None
    expires: Time | None = None
    priority: I32 | None = None
    tries_left: U16 | None = None
    timeout_ms: U32 | None = None
    args: Preview | None = None
    kwargs: Preview | None = None
    result: Preview | None = None
    exc_type: Str256 | None = None
    exc_message: Preview | None = None
    traceback: Preview | None = None
    root: Str256 | None = None
    parent: Str256 | None = None
    group: Str256 | None = None
    retry_of: Str256 | None = None
    via: U8 = 0
    cmd_id: Bin16 | None = None
    schedule: Str256 | None = None
    fire_id: Bin16 | None = None
    slot: I64 | None = None
    traceparent: TraceParent | None = None
    replayable_until: Time | None = None
    flags: U16 = 0
    route: Str256 | None = None
    headers: Labels16 | None = None
    tags: Labels16 | None = None
    extra: Map | None = None
    received: Time | None = None


class Progress(NamedTuple):
    """How far a running task says it is; the newest wins."""

    tag: U8
    at: Time
    engine: Str32
    app: Str128
    task_id: Str256
    run: U16
    attempt: U16
    current: F64
    total: F64 | None = None
    text: Str200 | None = None
    meta: Preview | None = None


class Target(NamedTuple):
    """What became of one target of a command; `code` is a TargetCode."""

    index_: U16
    code: U8
    new_id: Str256 | None = None
    detail: Str512 | None = None


class Result(NamedTuple):
    """The honest answer to a command; `state` is a ResultState, `rule` the policy text."""

    tag: U8
    at: Time
    cmd_id: Bin16
    state: U8
    code: Str64
    detail: Str2K
    evidence: Map
    targets: tuple[Target, ...] | None = None
    rule: Str512 | None = None
    took_ms: U32 = 0


class Fire(NamedTuple):
    """One line of the ledger of fires."""

    tag: U8
    at: Time
    engine: Str32
    app: Str128
    schedule: Bin16
    generation: U32
    slot: I64
    nonce: Str64 | None
    fire_id: Bin16
    status: U8
    trigger: U8
    epoch: U64
    revision: U64
    due: Time
    lag_ms: I64
    enq: U16
    count_: U32
    slot_local: Str64
    fold: U8
    reason: Str256 | None = None
    actor: Str256 | None = None


class WorkerState(NamedTuple):
    """A worker came or went: 1 online, 2 draining, 3 offline, 4 died, 5 stalled, 6 recovered."""

    tag: U8
    at: Time
    engine: Str32
    app: Str128
    worker: Str256
    what: U8
    reason: Str256 | None = None
    meta: Map | None = None


class Note(NamedTuple):
    """Something an operator should know about an agent; `code` is Z4J-Ennn."""

    tag: U8
    at: Time
    level: U8
    code: Str64
    text: Preview
    engine: Str32 | None = None
    app: Str128 | None = None


Item = Lost | Task | Progress | Result | Fire | WorkerState | Note

ITEMS: dict[int, type[Item]] = {
    Tag.LOST: Lost,
    Tag.TASK: Task,
    Tag.PROGRESS: Progress,
    Tag.RESULT: Result,
    Tag.FIRE: Fire,
    Tag.WORKER: WorkerState,
    Tag.NOTE: Note,
}

_MAX_EXTRA = 1_024
_MAX_EVIDENCE = 12_288


def pack_item(item: Item) -> bytes:
    """An item as the bytes that are spooled and sent; trailing nils are cut.

    Raises:
        WireError: Malformed; a value the wire has no form for.
    """
    return pack(cut(item))


def unpack_item(data: bytes) -> Item:
    """The item `data` is.

    Raises:
        WireError: Size, Malformed, Depth, or Type for a tag this side does not know.
    """
    if len(data) > MAX_ITEM_BYTES:
        raise fault(Fault.SIZE, f"an item of {len(data)} bytes")
    return read_item(unpack(data))


def read_item(value: Any) -> Item:
    """The item a decoded array is.

    Raises:
        WireError: Malformed, or Type for a tag this side does not know.
    """
    if type(value) is not list or not value or type(value[0]) is not int:
        raise fault(Fault.MALFORMED, "an item is an array that starts with its tag")
    kind = ITEMS.get(value[0])
    if kind is None:
        raise fault(Fault.TYPE, f"an item of tag {value[0]}")
    item = read_row(kind, value)
    _bound(item)
    return item


def _bound(item: Item) -> None:
    if isinstance(item, Task):
        _at_most(item.extra, _MAX_EXTRA, "extra")
    elif isinstance(item, Result):
        _at_most(item.evidence, _MAX_EVIDENCE, "evidence")


def _at_most(value: Any, limit: int, name: str) -> None:
    if value and len(pack(value)) > limit:
        raise fault(Fault.SIZE, f"{name}: more than {limit} bytes")


def span(item: Item, offset: int) -> int:
    """The last offset an item at `offset` stands for."""
    return max(item.to, offset) if isinstance(item, Lost) else offset
