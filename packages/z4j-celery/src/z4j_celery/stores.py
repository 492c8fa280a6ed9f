"""What Celery's Redis can keep for z4j. The rule: the broker's Redis, else the result backend's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from z4j_core.replay.redis import RedisReplay
from z4j_core.scheduler.lease import LeaseStore
from z4j_core.scheduler.leases.offered import store_in

from . import broker


def replay_store(app: Any) -> RedisReplay | None:
    """A store for messages, None where there is no Redis."""
    client = _redis(app)
    return None if client is None else RedisReplay(client)


def lease_store(app: Any, group: str, boottime: Callable[[], float]) -> LeaseStore | None:
    """A store for the leases of a group, None where there is no Redis."""
    client = _redis(app)
    return None if client is None else store_in(client, group, boottime)


def _redis(app: Any) -> Any:
    """A client, or a function that makes one."""
    if broker.driver(app) == "redis":
        return lambda: broker.redis_of(app)
    client: Any = getattr(app.backend, "client", None)
    return client if type(client).__module__.partition(".")[0] == "redis" else None
