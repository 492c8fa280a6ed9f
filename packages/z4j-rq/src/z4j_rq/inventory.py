"""Workers. The rule: this process's own is described from memory, others from RQ's registry."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import rq.worker
from rq.worker import SimpleWorker
from z4j_core import Capability, ChildProcess, Worker

from .facts import epoch

WORKERS = "rq:workers"
MAX_WORKERS = 1000
_SPAWN: Any = getattr(rq.worker, "SpawnWorker", ())
_NEVER = {Capability.POOL: "engine", Capability.RATE_LIMIT: "engine",
          Capability.RESTART: "needs_supervisor"}  # fmt: skip
"""A worker runs one job at a time, as fast as it can, and nothing of RQ's starts it again."""
_FIELDS = ("queues", "birth", "version", "successful_job_count", "failed_job_count", "state",
           "current_job")  # fmt: skip


def pool_of(worker: Any) -> str:
    """How a worker runs jobs: `fork`, `spawn` or `simple`."""
    if isinstance(worker, SimpleWorker):
        return "simple"
    return "spawn" if isinstance(worker, _SPAWN) else "fork"


def unavailable(worker: Any) -> dict[Capability, str]:
    """Verbs the worker of this process cannot do: killing a horse takes one. None: no worker."""
    if worker is None:
        lacking = (Capability.TERMINATE, Capability.PAUSE, Capability.RESUME)
        return {**_NEVER, **dict.fromkeys(lacking, "pool")}
    return {**_NEVER, Capability.TERMINATE: "pool"} if pool_of(worker) == "simple" else dict(_NEVER)


def described(worker: Any, current: str | None) -> Worker:
    """Describe the worker of this process."""
    horse = worker.horse_pid
    return Worker(
        worker.name,
        pool_of(worker),
        slots=1,
        busy=int(current is not None),
        running=(current,) if current else (),
        children=(ChildProcess(horse, task_id=current),) if horse else (),
        queues=tuple(worker.queue_names()),
        started_at=epoch(worker.birth_date),
        versions={"rq": version("rq"), "redis": version("redis")},
        config={"worker_class": type(worker).__qualname__},
    )


def registered(client: Any) -> Iterator[Worker]:
    """Workers RQ lists in Redis, with or without z4j in them."""
    keys = sorted(client.smembers(WORKERS))[:MAX_WORKERS]
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.hmget(key, _FIELDS)
        rows = pipeline.execute()
    for key, row in zip(keys, rows, strict=True):
        queues, birth, version, good, bad, state, current = (_text(value) for value in row)
        if birth is None:
            continue
        yield Worker(
            _text(key).removeprefix("rq:worker:"),
            slots=1,
            busy=int(state == "busy"),
            running=(current,) if current else (),
            queues=tuple((queues or "").split(",")),
            processed=int(good or 0) + int(bad or 0),
            started_at=epoch(birth),
            versions={} if version is None else {"rq": version},
        )


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
