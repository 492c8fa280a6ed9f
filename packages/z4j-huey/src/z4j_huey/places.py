"""Finding the Huey instances of this process. The rule: one instance is one engine, with one queue.

Each instance that is made tells of itself, and those that were made before are looked for among
the names of imported modules.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from huey.api import Huey
from z4j_core.place import place, redis_place

from .engine import HueyEngine

_engines: WeakKeyDictionary[Any, HueyEngine] = WeakKeyDictionary()
_listeners: list[Callable[[HueyEngine], None]] = []


def detect(_settings: object, found: Callable[[HueyEngine], None]) -> None:
    """Report each Huey instance of this process to `found`, now or once it is made."""
    _listeners.append(found)
    _watch()
    for huey in _instances():
        found(adapt(huey))


def adapt(obj: Any) -> HueyEngine:
    """Return the one engine of a Huey instance, or of the instance of a task."""
    huey = obj if isinstance(obj, Huey) else obj.huey
    if huey not in _engines:
        _engines[huey] = HueyEngine(huey, place_of)
    return _engines[huey]


def place_of(huey: Any) -> str:
    """Identity of the storage of an instance and of its queue in there."""
    storage = huey.storage
    name = str(getattr(storage, "name", huey.name))
    pool = getattr(storage, "pool", None)
    if hasattr(pool, "connection_kwargs"):
        return redis_place(pool, name)
    for kind, attribute in (("sqlite", "filename"), ("file", "path")):
        where = getattr(storage, attribute, None)
        if isinstance(where, str | os.PathLike):
            # A directory has one queue, whatever its instances are called.
            return place(kind, None, os.path.realpath(where), name if kind == "sqlite" else "")
    dsn = getattr(storage, "dsn", None)
    if dsn is not None or hasattr(storage, "connection_params"):
        return _postgres_place(dsn, getattr(storage, "connection_params", {}), name)
    return place(type(storage).__name__, None, "", name)


def _postgres_place(dsn: str | None, given: Any, name: str) -> str:
    told = {**given}
    if dsn:
        conninfo: Any = sys.modules["psycopg.conninfo"]
        told = {**conninfo.conninfo_to_dict(dsn), **told}
    return place(
        "postgresql", told.get("host"), told.get("port") or 5432, f"{told.get('dbname')}{name}"
    )


def _instances() -> Iterator[Any]:
    for module in list(sys.modules.values()):
        for value in list(getattr(module, "__dict__", {}).values()):
            if issubclass(type(value), Huey):  # the class alone: it may be a proxy
                yield value


def _watch() -> None:
    original = Huey.__init__
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **kwargs)
        for found in _listeners[:]:
            found(adapt(self))

    Huey.__init__ = __init__
