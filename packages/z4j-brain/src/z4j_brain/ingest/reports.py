"""Typed rows of snapshots: definitions, queues, workers. nil = this engine cannot tell."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from .items import I63, NOTHING, U8, U16, Ident, Name, Pos31, Pos63, Words

SHAPES = ("fifo", "priority", "stream", "delay", "dead")


class Param(Struct, array_like=True, frozen=True):
    """One parameter of a signature."""

    name: Name
    kind: U8
    has_default: bool = False
    default: Words | None = None
    annotation: Words | None = None


class TaskReport(Struct, array_like=True, frozen=True):
    """One definition."""

    name: Ident
    module: Name | None = None
    doc: Words | None = None
    signature: Annotated[list[Param], Meta(max_length=256)] | None = None
    source: Words | None = None
    queue: Name | None = None
    options: Raw = NOTHING
    flags: U16 = 0
    max_tries: Pos31 | None = None
    timeout_ms: Pos31 | None = None
    rate: Name | None = None


class QueueReport(Struct, array_like=True, frozen=True):
    """One queue as its broker counts it."""

    name: Ident
    shape: U8 = 0
    depth: Pos63 | None = None
    scheduled: Pos63 | None = None
    unacked: Pos63 | None = None
    dead: Pos63 | None = None
    oldest: Pos63 | None = None
    consumers: Pos31 | None = None
    paused: bool | None = None
    by_priority: dict[str | int, I63] | None = None
    flags: U8 = 0
    sampled: Pos63 | None = None

    @property
    def shape_name(self) -> str:
        """The shape in words."""
        return SHAPES[self.shape] if self.shape < len(SHAPES) else "fifo"


class Child(Struct, array_like=True, frozen=True):
    """One process of a pool."""

    pid: Pos31
    rss_kb: Pos63 | None = None
    task_id: Name | None = None


class WorkerReport(Struct, array_like=True, frozen=True):
    """One consuming process tree."""

    worker: Ident
    pool: Name | None = None
    slots: Pos31 | None = None
    busy: Pos31 | None = None
    running: Annotated[list[Name], Meta(max_length=100)] | None = None
    children: Annotated[list[Child], Meta(max_length=256)] | None = None
    queues: Annotated[list[Name], Meta(max_length=256)] | None = None
    processed: Pos63 | None = None
    started: Pos63 | None = None
    versions: Annotated[dict[str, str], Meta(max_length=64)] | None = None
    config: Raw = NOTHING


TASKS = msgspec.msgpack.Decoder(list[TaskReport])
QUEUES = msgspec.msgpack.Decoder(list[QueueReport])
WORKERS = msgspec.msgpack.Decoder(list[WorkerReport])
