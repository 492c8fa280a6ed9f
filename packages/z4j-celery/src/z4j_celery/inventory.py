"""What a worker is doing now. The rule: read in process, without broker traffic."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import celery
import kombu
from celery import concurrency
from celery.worker import state
from z4j_core import Capability, ChildProcess, Worker

from .facts import epoch

RUNNING_MAX = 100
TERMINATED = ("prefork", "gevent")
"""Pools in which a run can be killed without its neighbours."""
_NEVER = {Capability.REQUEUE: "engine", Capability.DEAD_LETTERS: "engine"}
"""Celery has no place for what has failed."""
_CONFIG = (
    "task_acks_late",
    "task_reject_on_worker_lost",
    "task_soft_time_limit",
    "task_time_limit",
    "worker_enable_remote_control",
    "worker_max_memory_per_child",
    "worker_max_tasks_per_child",
    "worker_prefetch_multiplier",
)


def pool_name(pool_cls: Any) -> str:
    """Name a pool as `celery worker --pool` does: prefork, threads, solo, gevent, eventlet."""
    cls = concurrency.get_implementation(pool_cls) if isinstance(pool_cls, str) else pool_cls
    name = str(cls.__module__).rpartition(".")[2]
    return {"thread": "threads"}.get(name, name)


def missing_here(controller: Any) -> dict[Capability, str]:
    """Verbs the worker of this process cannot do, with the reason; all of them without one."""
    missing = dict(_NEVER)
    if controller is None:
        lacking = (Capability.TERMINATE, Capability.POOL, Capability.RESTART, Capability.FETCH)
        return missing | dict.fromkeys(lacking, "pool")
    pool = pool_name(controller.pool_cls)
    if pool not in TERMINATED:
        missing[Capability.TERMINATE] = "pool"
    if pool != "prefork":
        missing |= {Capability.POOL: "pool", Capability.RESTART: "pool"}
    elif controller.autoscale:  # it would be sized back
        missing[Capability.POOL] = "config"
    return missing


def local_worker(controller: Any) -> Worker:
    """Describe the worker of this process."""
    active = list(state.active_requests)
    by_pid = {request.worker_pid: request.id for request in active}
    pids = children(controller)
    app = controller.app
    return Worker(
        controller.hostname,
        pool_name(controller.pool_cls),
        slots=getattr(controller.pool, "num_processes", None) or controller.concurrency,
        busy=len(active),
        running=tuple(request.id for request in active[:RUNNING_MAX]),
        children=tuple(ChildProcess(pid, task_id=by_pid.get(pid)) for pid in pids),
        queues=_consumed(controller),
        processed=state.all_total_count[0],
        started_at=epoch(controller.startup_time, UTC),
        versions={"celery": celery.__version__, "kombu": kombu.__version__},
        config={name: _plain(app.conf.get(name)) for name in _CONFIG},
    )


def _consumed(controller: Any) -> tuple[str, ...]:
    """Queues it reads now; on Celery 5.3 `consume_from` forgets one that was resumed."""
    consumer = getattr(controller.consumer, "task_consumer", None)
    if consumer is None:
        return tuple(controller.app.amqp.queues.consume_from)
    return tuple(queue.name for queue in consumer.queues)


def children(controller: Any) -> list[int]:
    """Process ids of a prefork pool; empty for pools without processes."""
    processes = getattr(getattr(controller.pool, "_pool", None), "_pool", None)
    return [process.pid for process in processes or () if hasattr(process, "pid")]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
