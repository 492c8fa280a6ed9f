"""The pools of one Redis database in this process. The rule: what arq was given is what z4j uses.

Serializers, default queues and the time a job may wait are settings of arq's pools and workers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from arq.constants import default_queue_name, expires_extra_ms

MAX_QUEUES = 1000
Serializer = Callable[[dict[str, Any]], bytes]


class Pools:
    """What is known of a database's queues."""

    def __init__(self) -> None:
        self._alive: WeakSet[Any] = WeakSet()
        self._serializers: dict[str, Serializer | None] = {}

    def add(self, redis: Any) -> None:
        """A pool was made; arq gives it its settings a moment later."""
        self._alive.add(redis)

    def learn(self, queue: str, serializer: Serializer | None) -> None:
        """Remember how jobs of a queue are put into bytes."""
        if queue in self._serializers or len(self._serializers) < MAX_QUEUES:
            self._serializers[queue] = serializer

    def see(self, queue: str) -> None:
        """Remember a queue."""
        if queue not in self._serializers:
            self.learn(queue, None)

    def queues(self) -> list[str]:
        """Queues seen in this process."""
        named = {redis.default_queue_name for redis in list(self._alive)}
        return sorted(named | set(self._serializers) or {default_queue_name})

    def default(self) -> str:
        """The queue for a job of which nothing else is known."""
        return str(self._agreed("default_queue_name", default_queue_name))

    def serializer(self, queue: str) -> Serializer | None:
        """How jobs of a queue are put into bytes; None: as arq does by itself."""
        found: Serializer | None = self._serializers.get(queue)
        return found or self._agreed("job_serializer", None)

    def kept_ms(self) -> int:
        """How long a job may wait after it was due, milliseconds."""
        return int(self._agreed("expires_extra_ms", expires_extra_ms))

    def _agreed(self, name: str, otherwise: Any) -> Any:
        """A setting of all pools, if they agree."""
        found = [getattr(redis, name, otherwise) for redis in list(self._alive)]
        return found[0] if found and all(each == found[0] for each in found) else otherwise
