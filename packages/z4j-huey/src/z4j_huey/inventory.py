"""Workers. The rule: described from memory, as the consumer of this process is now."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from z4j_core import ChildProcess, Worker

_PACKAGES = ("huey", "redis")


def pool_of(consumer: Any) -> str | None:
    """How a consumer runs tasks: `thread`, `process` or `greenlet`."""
    kind = getattr(consumer, "worker_type", None)
    return "greenlet" if kind == "gevent" else kind


def worker_id(consumer: Any) -> str:
    """Name of this process as a worker; of one that its consumer has forked, with its parent."""
    parent = f"{os.getppid()}/" if pool_of(consumer) == "process" else ""
    return f"{socket.gethostname()}/{parent}{os.getpid()}"


def described(name: str, consumer: Any, queue: str, running: Sequence[str]) -> Worker:
    """Describe the worker of this process."""
    pool = pool_of(consumer)
    is_child = pool == "process"
    current = running[0] if running else None
    return Worker(
        name,
        pool,
        slots=1 if is_child else getattr(consumer, "workers", None),
        busy=len(running),
        running=tuple(running),
        children=(ChildProcess(os.getpid(), task_id=current),) if is_child else (),
        queues=(queue,),
        versions=dict(_versions()),
        config={"max_tasks": limit} if (limit := getattr(consumer, "max_tasks", None)) else {},
    )


def _versions() -> list[tuple[str, str]]:
    found = []
    for package in _PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return found
