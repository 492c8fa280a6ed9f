"""The consumer of this process and its size. The rule: described from memory, as it is now.

A consumer that forks is in the parent of this process: here there is only this one worker of it.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
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


def described(
    name: str, consumer: Any, queue: str, running: Sequence[str], slots: int
) -> Worker:  # fmt: skip
    """Describe the worker of this process."""
    pool = pool_of(consumer)
    is_child = pool == "process"
    current = running[0] if running else None
    return Worker(
        name,
        pool,
        slots=slots if consumer is not None else None,
        busy=len(running),
        running=tuple(running),
        children=(ChildProcess(os.getpid(), task_id=current),) if is_child else (),
        queues=(queue,),
        versions=dict(_versions()),
        config={"max_tasks": limit} if (limit := getattr(consumer, "max_tasks", None)) else {},
    )


def _versions() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found.append((package, version(package)))
    return found


def slots_of(consumer: Any) -> int:
    """How many tasks this process runs at once."""
    if pool_of(consumer) == "process":
        return 1
    return len(getattr(consumer, "worker_threads", ()))


def grow(consumer: Any) -> None:
    """Give a consumer one more thread or greenlet, made as it makes them."""
    worker = consumer._create_worker()  # noqa: SLF001  (as its health check does)
    made = consumer._create_process(worker, f"Worker-{slots_of(consumer) + 1}")  # noqa: SLF001
    consumer.worker_threads = [*consumer.worker_threads, (worker, made)]
    made.start()


def leave(consumer: Any) -> None:
    """Strike the calling thread or greenlet off, or the health check would replace it."""
    if pool_of(consumer) == "process":
        return
    here: Any = threading.current_thread()
    if pool_of(consumer) == "greenlet":
        here = import_module("gevent").getcurrent()
    consumer.worker_threads = [each for each in consumer.worker_threads if each[1] is not here]


def hears_hangup(consumer: Any) -> bool:
    """Whether a hang-up makes the consumer of this process begin anew, under the same id."""
    handler: Any = signal.getsignal(signal.SIGHUP)
    return consumer is not None and getattr(handler, "__self__", None) is consumer


def replaces_children(consumer: Any) -> bool:
    """Whether the parent of this process makes another one when it ends."""
    return pool_of(consumer) == "process" and bool(getattr(consumer, "_health_check", False))
