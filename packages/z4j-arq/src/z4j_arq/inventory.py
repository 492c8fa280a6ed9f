"""Workers of this process. The rule: they are described from memory; arq lists no others."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from z4j_core import Capability, Worker

POOL = "asyncio"
_OF_WORKERS = (Capability.PAUSE, Capability.RESUME, Capability.POOL, Capability.WORKERS)
_NEVER = {Capability.TERMINATE: "pool", Capability.REQUEUE: "engine",
          Capability.DEAD_LETTERS: "engine", Capability.RATE_LIMIT: "engine",
          Capability.RESTART: "needs_supervisor"}  # fmt: skip
"""Jobs share one loop, none is kept when it has failed, and nothing of arq's starts a worker."""
_CONFIG = ("max_tries", "job_timeout_s", "allow_abort_jobs", "retry_jobs", "poll_delay_s")


def unavailable(workers: Sequence[Any]) -> Mapping[Capability, str]:
    """Verbs a process with these workers cannot do."""
    return _NEVER if workers else {**_NEVER, **dict.fromkeys(_OF_WORKERS, "pool")}


def id_of(worker: Any) -> str:
    """What a worker is called, which arq does not say."""
    return f"{socket.gethostname()}/{os.getpid()}/{worker.queue_name}"


def slots_of(worker: Any) -> int:
    """How many jobs a worker may run at a time."""
    limit = getattr(worker, "max_jobs", None)
    return int(worker.sem._bound_value if limit is None else limit)  # noqa: SLF001  (arq keeps no other number)


def described(worker: Any) -> Worker:
    """Describe a worker as it is now."""
    running = tuple(worker.job_tasks)
    return Worker(
        id_of(worker),
        POOL,
        slots=slots_of(worker),
        busy=len(running),
        running=running,
        queues=(worker.queue_name,),
        processed=worker.jobs_complete + worker.jobs_failed,
        versions={"arq": version("arq"), "redis": version("redis")},
        config={name: getattr(worker, name, None) for name in _CONFIG},
    )


def resized(worker: Any, delta: int) -> int:
    """Let a worker run more or fewer jobs at a time, at least one; the new number.

    Called on its loop. Of fewer, those that are too many finish first.
    """
    slots = max(slots_of(worker) + delta, 1)
    delta = slots - slots_of(worker)
    if hasattr(worker, "max_jobs"):
        worker.max_jobs = slots
        _widen(worker.sem, slots + 1 - worker.sem._bound_value)  # noqa: SLF001  (as above)
    elif delta > 0:
        _widen(worker.sem, delta)
    else:
        _narrow(worker.sem, -delta)
    return slots


def _widen(sem: Any, by: int) -> None:
    for _ in range(by):
        sem._bound_value += 1  # noqa: SLF001  (as above)
        sem.release()


def _narrow(sem: Any, by: int) -> None:
    """Take places away at once while they are free, else when they are given back."""
    at_once = min(by, sem._value)  # noqa: SLF001  (as above)
    sem._value -= at_once  # noqa: SLF001  (as above)
    sem._bound_value -= by  # noqa: SLF001  (as above)
    owed = by - at_once
    if not owed:
        return
    original = sem.release

    def release() -> None:
        nonlocal owed
        if owed:
            owed -= 1
        else:
            original()

    sem.release = release
