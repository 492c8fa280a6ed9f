"""Finding the brokers of this process. The rule: brokers of one place are one engine.

Brokers that are made tell where they live once they are complete; those that were made before are
looked for among the names of imported modules. A shared broker lives nowhere: its tasks belong to
all the others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from taskiq import AsyncBroker
from taskiq.brokers.shared_broker import AsyncSharedBroker

from .engine import TaskiqEngine
from .stores import store_of

_engines: dict[str, TaskiqEngine] = {}
_listeners: list[Callable[[TaskiqEngine], None]] = []
_watched: set[type] = set()


def detect(_settings: object, found: Callable[[TaskiqEngine], None]) -> None:
    """Report each place where taskiq has a broker in this process to `found`, now or later."""
    _listeners.append(found)
    _watch(AsyncBroker)
    for broker in _brokers():
        found(engine_of(broker))


def adapt(obj: Any) -> TaskiqEngine:
    """Return the engine of a broker, or of a task of one."""
    return engine_of(obj if isinstance(obj, AsyncBroker) else obj.broker)


def engine_of(broker: Any) -> TaskiqEngine:
    """Return the one engine of a broker's place."""
    place = store_of(broker).place
    engine = _engines.get(place)
    if engine is None:
        engine = _engines[place] = TaskiqEngine(broker)
    else:
        engine.add(broker)
    return engine


def _brokers() -> Iterator[Any]:
    for module in list(sys.modules.values()):
        for value in list(getattr(module, "__dict__", {}).values()):
            kind = type(value)  # the class alone: it may be a proxy
            if issubclass(kind, AsyncBroker) and not issubclass(kind, AsyncSharedBroker):
                yield value


def _watch(base: Any) -> None:
    """Hear of each broker whose `__init__`, that of its own class, has come to its end."""
    if base in _watched:
        return
    _watched.add(base)

    def __new__(kind: Any, *_args: Any, **_kwargs: Any) -> Any:  # noqa: N807
        if kind not in _watched:
            _watched.add(kind)
            kind.__init__ = _telling(kind, kind.__init__)
        return object.__new__(kind)

    base.__new__ = staticmethod(__new__)


def _telling(kind: Any, original: Any) -> Any:
    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **kwargs)
        if type(self) is kind:
            _made(self)

    return __init__


def _made(broker: Any) -> None:
    if isinstance(broker, AsyncSharedBroker):
        return
    engine = engine_of(broker)
    for found in _listeners[:]:
        found(engine)
