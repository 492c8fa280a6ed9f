"""Workers and queues as an engine knows them. `None` means "this engine cannot tell", never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ChildProcess:
    """One process of a worker's pool."""

    pid: int
    rss_kb: int | None = None
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """One consuming process (tree) under the id the engine uses for it."""

    id: str
    pool: str | None = None
    slots: int | None = None
    busy: int | None = None
    running: tuple[str, ...] = ()
    children: tuple[ChildProcess, ...] = ()
    queues: tuple[str, ...] = ()
    processed: int | None = None
    started_at: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages a queue holds, as the broker counts them."""

    ready: int | None
    delayed: int | None = None
    unacked: int | None = None
    dead: int | None = None
    consumers: int | None = None
    oldest_s: float | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue an engine reads or writes."""

    name: str
    shape: str = "fifo"
    depth: QueueDepth | None = None
    paused: bool | None = None
