"""Messages in the broker's Redis. The rule: a key of its own per run, gone after seven days."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from typing import Any, Protocol, TypeGuard, cast

import msgpack

from ..errors import StoreError, StoreUnavailable
from . import KEPT_S, ReplayRecord, checked

PREFIX = "z4j:replay"
_VERSION = 1


class Client(Protocol):
    """What is needed of a synchronous Redis client, whoever made it."""

    def set(self, name: str, value: bytes, *, ex: int) -> Any: ...
    def get(self, name: str) -> Any: ...
    def delete(self, *names: str) -> Any: ...


class RedisReplay:
    """A store over the engine's own client, or over a function that makes one when needed."""

    kind = "redis"

    def __init__(self, client: Client | Callable[[], Client], *, kept_s: int = KEPT_S) -> None:
        self._made = client if hasattr(client, "get") else None
        self._make = client
        self._kept_s = kept_s

    def put(
        self, engine: str, app: str, task_id: str, task: str, body: bytes, until_us: int, /
    ) -> None:
        """Keep a message for seven days."""
        fields = [_VERSION, engine, app, task_id, task, body, checked(body), until_us]
        packed: bytes = msgpack.packb(fields, use_bin_type=True, unicode_errors="backslashreplace")
        self._asked(lambda client: client.set(key_of(app, task_id), packed, ex=self._kept_s))

    def get(self, engine: str, app: str, task_id: str, /) -> ReplayRecord | None:
        """The message kept for a run, None when there is none."""
        packed = self._asked(lambda client: client.get(key_of(app, task_id)))
        if packed is None:
            return None
        record = _record_of(packed)
        if (record.engine, record.app, record.task_id) != (engine, app, task_id):
            raise StoreError("the record belongs to another run")
        return record

    def drop(self, engine: str, app: str, task_id: str, /) -> None:
        """Forget the message of a run."""
        self._asked(lambda client: client.delete(key_of(app, task_id)))

    def close(self) -> None:
        """Nothing: the client is the engine's."""

    def _asked(self, ask: Callable[[Client], Any]) -> Any:
        try:
            if self._made is None:
                self._made = cast("Callable[[], Client]", self._make)()
            return ask(cast("Client", self._made))
        except client_errors() as error:
            raise StoreUnavailable(f"Redis did not answer: {error}") from error


def key_of(app: str, task_id: str) -> str:
    """Key of the record of one run."""
    return f"{PREFIX}:{app}:{task_id}"


def client_errors() -> tuple[type[Exception], ...]:
    """What the client's library raises; it is loaded if there is a client of it."""
    found = [
        getattr(sys.modules.get(module), name, None)
        for module, name in (
            ("redis.exceptions", "RedisError"),
            ("valkey.exceptions", "ValkeyError"),
        )
    ]
    return (OSError, *(error for error in found if _is_error(error)))


def _is_error(found: Any) -> TypeGuard[type[Exception]]:
    return isinstance(found, type) and issubclass(found, Exception)


def _record_of(packed: Any) -> ReplayRecord:
    if not isinstance(packed, bytes):
        raise StoreError("the client decodes what it reads: give one that returns bytes")
    try:
        version, engine, app, task_id, task, body, digest, until_us = msgpack.unpackb(packed)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise StoreError("the record is damaged") from error
    if version != _VERSION or not isinstance(body, bytes):
        raise StoreError("the record is of another kind")
    if hashlib.sha256(body).digest() != digest:
        raise StoreError("the record was changed")
    return ReplayRecord(engine, app, task_id, task, body, digest, until_us)
