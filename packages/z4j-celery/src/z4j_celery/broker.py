"""The broker behind an app. The rule: looking changes nothing."""

from __future__ import annotations

import hashlib
from typing import Any

from amqp.exceptions import ChannelError
from kombu.exceptions import ChannelError as VirtualChannelError
from kombu.exceptions import DecodeError, OperationalError
from z4j_core import Delivery, Held, Page, QueueDepth, TaskNotFound, TaskState, Unsupported
from z4j_core.payload import opaque_text

from .connections import connected
from .facts import epoch
from .message import loads, of_redis

REDELIVERS_S = 3600.0
"""When kombu hands out again what Redis was not told the end of."""
PRIORITY_STEPS = [0, 3, 6, 9]
PRIORITY_SEP = "\x06\x16"
_DAMAGED = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError,
            DecodeError)  # fmt: skip
"""What reading JSON that anybody may have written can raise; kombu rebuilds types in it."""


def app_id(app: Any) -> str:
    """Identity of broker and namespace without credentials: 12 hex digits."""
    conn = app.connection_for_write()
    options = app.conf.broker_transport_options or {}
    parts = (
        conn.transport_cls
        if isinstance(conn.transport_cls, str)
        else conn.transport_cls.__module__,
        conn.hostname or "localhost",
        str(conn.port or conn.get_transport_cls().default_port or ""),
        str(conn.virtual_host or ""),
        str(options.get("global_keyprefix", "")),
    )
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:12]


def driver(app: Any) -> str:
    """Name the type of the transport: redis, amqp, memory, sqs."""
    return str(app.connection_for_write().get_transport_cls().driver_type)


def delivery(app: Any) -> Delivery:
    """What the broker promises of a message whose worker is gone."""
    if not app.conf.task_acks_late:
        return Delivery()
    options = app.conf.broker_transport_options or {}
    if driver(app) == "redis":
        return Delivery(redelivers_after_s=float(options.get("visibility_timeout", REDELIVERS_S)))
    return Delivery(redelivers_after_s=0.0)


def depth(app: Any, queue: str) -> QueueDepth:
    """Count a queue as the broker does, all priorities of Redis included.

    Raises:
        TaskNotFound: an AMQP broker has no such queue.
    """
    with connected(app) as connection:
        try:
            found = connection.default_channel.queue_declare(queue=queue, passive=True)
        except (ChannelError, VirtualChannelError) as error:
            if connection.transport.driver_type == "amqp":
                raise TaskNotFound(f"no queue {queue}") from error
            return QueueDepth(0)
        if connection.transport.driver_type == "amqp":
            return QueueDepth(found.message_count, consumers=found.consumer_count)
        return QueueDepth(found.message_count)


def purge(app: Any, queue: str) -> int:
    """Drop what waits in a queue and return how many messages that were."""
    with connected(app) as connection:
        try:
            return int(connection.default_channel.queue_purge(queue=queue) or 0)
        except (ChannelError, VirtualChannelError) as error:
            raise TaskNotFound(f"no queue {queue}") from error


def redis_client(connection: Any) -> Any:
    """Make a Redis client with a connection's settings, without kombu's key prefixing."""
    import redis  # noqa: PLC0415  (only where the broker is Redis)

    return redis.Redis(connection_pool=connection.default_channel.pool)


def redis_of(app: Any) -> Any:
    """Make a client of the broker's Redis that stays open.

    Raises:
        ConnectionError: it did not answer.
    """
    connection = app.connection_for_write()
    try:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=3)
    except OperationalError as error:
        raise ConnectionError(str(error)) from error
    return redis_client(connection)


def redis_keys(app: Any, queue: str) -> list[str]:
    """Lists of a queue in the order Redis is asked for them, highest priority first."""
    options = app.conf.broker_transport_options or {}
    prefix = options.get("global_keyprefix", "")
    steps = options.get("priority_steps", PRIORITY_STEPS)
    sep = options.get("sep", PRIORITY_SEP)
    return [f"{prefix}{queue}{sep}{step}" if step else f"{prefix}{queue}" for step in steps]


def peek(app: Any, queue: str, limit: int, cursor: str | None) -> Page:
    """Read the next messages of a Redis queue, oldest first; nothing is moved or unpickled.

    Raises:
        Unsupported: not Redis: AMQP would mark what it shows as redelivered.
    """
    if driver(app) != "redis":
        raise Unsupported("broker", "looking into an AMQP queue marks its messages as redelivered")
    at = int(cursor or 0)
    raws: list[bytes] = []
    skip = at
    with connected(app) as connection:
        client = redis_client(connection)
        for key in redis_keys(app, queue):
            size = client.llen(key)
            if skip >= size:
                skip -= size
                continue
            stop = size - skip - 1
            start = max(0, stop - (limit - len(raws)) + 1)
            raws += reversed(client.lrange(key, start, stop))
            skip = 0
            if len(raws) >= limit:
                break
    items = tuple(_held(raw, queue, app.timezone) for raw in raws)
    return Page(items, str(at + len(items)) if len(items) == limit else None)


def _held(raw: bytes, queue: str, zone: Any) -> Held:
    try:
        headers, envelope, body = of_redis(raw)
        due = epoch(headers.get("eta"), zone)
    except _DAMAGED:
        return Held("", None, queue, TaskState.UNKNOWN, opaque=opaque_text("message", raw))
    state = TaskState.QUEUED if due is None else TaskState.SCHEDULED
    args = kwargs = None
    opaque: str | None = str(envelope.get("content-type") or "unknown")
    if opaque == "application/json" and "compression" not in headers:
        try:
            args, kwargs, _ = loads(body.decode())
            opaque = None
        except _DAMAGED:
            opaque = "undecodable"
    task_id, task = headers.get("id"), headers.get("task")
    return Held(task_id if type(task_id) is str else "", task if type(task) is str else None,
                queue, state, args, kwargs, opaque)  # fmt: skip
