"""Bodies of records as plain typed data. The rule: fields stand in the order they travel in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from .codes import MAX_OPEN_SEGMENTS
from .schema import (
    U8,
    U16,
    U32,
    U64,
    Array,
    AtMost,
    Bin8,
    Bin16,
    Bin32,
    Bool,
    Labels,
    Map,
    Str8K,
    Str32,
    Str64,
    Str128,
    Str200,
    Str256,
    Str512,
    Time,
    one_of,
)

Role = Annotated[str, one_of("web", "worker", "beat", "scheduler", "script")]
Storage = Annotated[str, one_of("disk", "shm", "memory")]


class Verb(NamedTuple):
    """A verb an engine offers; `scope` is 1 broker, 2 process or both."""

    verb: Str32
    scope: U8


class App(NamedTuple):
    """One engine on one broker in this process; `unavailable` says why a verb is missing here."""

    engine: Str32
    app: Str128
    engine_version: Str64
    adapter_version: Str64
    verbs: tuple[Verb, ...]
    sources: tuple[Str64, ...]
    unavailable: Labels | None = None


class Policy(NamedTuple):
    """The local policy as text and the first 8 bytes of its SHA-256."""

    text: Str8K
    digest: Bin8


class Group(NamedTuple):
    """A scheduling group as an agent holds it."""

    engine: Str32
    app: Str128
    candidate: Bool
    era: U32
    revision: U64


class Newest(NamedTuple):
    """The newest state of a scheduling group as the brain holds it."""

    engine: Str32
    app: Str128
    era: U32
    revision: U64


class Witness(NamedTuple):
    """Newest audit checkpoint an agent has seen."""

    size: U64
    root: Bin32


class Checkpoint(NamedTuple):
    """Newest audit checkpoint of the brain and the proof that it extends the witnessed one."""

    size: U64
    root: Bin32
    proof: tuple[Bin32, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """REGISTER: who this process is and what it can do. All keys may be sent again in UPDATE."""

    stream: Bin16
    epoch: U32
    host: Str256
    os: Str256
    boot: Str64
    pid: U32
    role: Role
    agent: Str64
    python: Str64
    storage: Storage
    clock: Time
    policy: Policy
    tags: Labels
    apps: tuple[App, ...]
    groups: tuple[Group, ...] = ()
    features: tuple[Str64, ...] = ()
    framework: Str64 | None = None
    release: Str256 | None = None
    environment: Str64 | None = None
    witness: Witness | None = None


@dataclass(frozen=True, slots=True)
class Welcome:
    """WELCOME: terms of the session."""

    session: Bin16
    brain: Str64
    hb_ms: U32
    deflate_min: U32
    backoff_cap_ms: U32
    credit: U16
    max_tag: U8
    clock: Time
    groups: tuple[Newest, ...] = ()
    features: tuple[Str64, ...] = ()
    checkpoint: Checkpoint | None = None
    advice: Str512 | None = None


class Open(NamedTuple):
    """One segment of OPEN. `klass` 0 facts, 1 control; `first` is the lowest offset still held."""

    handle: U16
    stream: Bin16
    epoch: U32
    klass: U8
    segment: Bin8
    first: U64
    meta: Map


class Mark(NamedTuple):
    """Everything up to offset `upto` of a segment is stored."""

    handle: U16
    upto: U64


class Ack(NamedTuple):
    """ACK: sent after the commit, and in answer to OPEN."""

    marks: Annotated[tuple[Mark, ...], AtMost(MAX_OPEN_SEGMENTS)]
    credit: U16


class Actor(NamedTuple):
    """Who ordered a command, and through what."""

    id: Str256
    name: Str256
    via: Str64


class Bulk(NamedTuple):
    """Place of a command in its bulk."""

    bulk_id: Bin16
    chunk: U32
    chunks: U32


class Command(NamedTuple):
    """COMMAND. `deadline_ms` counts from WELCOME; flags: 1 dry run, 2 force."""

    cmd_id: Bin16
    verb: Str32
    engine: Str32
    app: Str128
    targets: Annotated[tuple[Str256, ...], AtMost(200)]
    params: Map
    deadline_ms: U64
    actor: Actor
    reason: Str512
    flags: U8 = 0
    bulk: Bulk | None = None


class Abort(NamedTuple):
    """ABORT: stop before the next target."""

    cmd_id: Bin16
    reason: Str512


class SpoolState(NamedTuple):
    """Size of a spool and what it lost."""

    bytes: U64
    segments: U32
    lost: U64
    evicted: U64


class Inventory(NamedTuple):
    """Hash of one snapshot an agent could send."""

    kind: U8
    engine: Str32
    app: Str128
    hash: Bin8


class Beat(NamedTuple):
    """BEAT: the thread is alive; `lag_ms` tells about the engine's own loop."""

    n: U32
    mono: U64
    age_ms: U32
    spool: SpoolState
    lag_ms: U32 | None
    lag_max_ms: U32 | None
    busy: U16 | None
    slots: U16 | None
    done: U64 | None
    cpu_ms: U64
    rss_kb: U32
    inventory: tuple[Inventory, ...]


class Pong(NamedTuple):
    """PONG: the beat it answers, echoed."""

    n: U32
    mono: U64
    checkpoint: Checkpoint | None
    clock: Time


class Flow(NamedTuple):
    """FLOW: hold class 0 for a while, or drop the least of it."""

    credit: U16
    pause_ms: U32
    shed: U8


class Snapshot(NamedTuple):
    """SNAPSHOT: one page; applied when all pages of one hash are there."""

    kind: U8
    engine: Str32
    app: Str128
    hash: Bin8
    page: U16
    pages: U16
    rows: Array


class Want(NamedTuple):
    """One wish of WANT; kind 64 asks for schedules newer than revision `have`."""

    kind: U8
    engine: Str32
    app: Str128
    have: U64


class Close(NamedTuple):
    """CLOSE: why the session ends, and when to come back."""

    code: U16
    reason: Str200
    retry_after_ms: U32


Keys = dict[str, Any]
"""Body of UPDATE: those keys of Register that changed."""
