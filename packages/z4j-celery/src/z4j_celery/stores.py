"""What Celery's Redis can keep for z4j. The rule: the broker's Redis, else the result backend's."""

from __future__ import annotations

from typing import Any

from z4j_core.replay.redis import RedisReplay

from . import broker


def replay_store(app: Any) -> RedisReplay | None:
    """A store for messages, None where there is no Redis."""
    if broker.driver(app) == "redis":
        return RedisReplay(lambda: broker.redis_of(app))
    client = _backend(app)
    return None if client is None else RedisReplay(client)


def _backend(app: Any) -> Any:
    client: Any = getattr(app.backend, "client", None)
    return client if type(client).__module__.partition(".")[0] == "redis" else None
