"""Finding the brokers of this process. The rule: a broker is reported once it is complete.

That is when the `__init__` of its own class has returned; those made before are looked for among
the names of imported modules.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from dramatiq.broker import Broker

from .engine import DramatiqEngine

_OURS = "__z4j_tells__"
_engines: WeakKeyDictionary[Any, DramatiqEngine] = WeakKeyDictionary()
_listeners: list[Callable[[DramatiqEngine], None]] = []


def detect(_settings: object, found: Callable[[DramatiqEngine], None]) -> None:
    """Report each broker of this process to `found`, now or once it is made."""
    _listeners.append(found)
    _watch(Broker)
    for broker in _made_before():
        found(adapt(broker))


def adapt(broker: Any) -> DramatiqEngine:
    """Return the one engine of a broker."""
    if broker not in _engines:
        _engines[broker] = DramatiqEngine(broker)
    return _engines[broker]


def _made_before() -> Iterator[Any]:
    seen: set[int] = set()
    for module in list(sys.modules.values()):
        for value in list(getattr(module, "__dict__", {}).values()):
            # The class alone is asked: a proxy would make what it stands for.
            if issubclass(type(value), Broker) and id(value) not in seen:
                seen.add(id(value))
                yield value


def _watch(cls: Any) -> None:
    """Hear of each broker of a class, of its subclasses and of those yet to be written."""
    root: Any = Broker
    if "__init_subclass__" not in vars(root):
        root.__init_subclass__ = classmethod(_watch)
    if "__init__" in vars(cls) and not hasattr(cls.__init__, _OURS):
        cls.__init__ = _telling(cls.__init__)
    for each in cls.__subclasses__():
        _watch(each)


def _telling(original: Any) -> Any:
    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **kwargs)
        if __init__ in _layers(type(self).__init__):
            for found in _listeners[:]:
                found(adapt(self))

    setattr(__init__, _OURS, True)
    return __init__


def _layers(function: Any) -> Iterator[Any]:
    """A function and what it was wrapped around: others may have put something around ours."""
    while function is not None:
        yield function
        function = getattr(function, "__wrapped__", None)
