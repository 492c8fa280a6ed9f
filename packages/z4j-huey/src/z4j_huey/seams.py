"""What is planted in a Huey instance. The rule: the original is called once, with what was given.

But for a second copy of a scheduled run, which is not executed: `pre_execute` comes too late, after
Huey has told everybody that it executes it.

Methods are wrapped on the instance, so that classes, and whoever patches them before or after,
stay as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from huey import signals

from .facts import ENDINGS

NAME = "z4j"
Around = Callable[[Callable[..., Any], Any], Callable[..., Any]]
_HEARD = frozenset({"executing", "scheduled", "revoked", "expired", "interrupted", *ENDINGS})


class Seams:
    """Wrappers, receivers and hooks of one instance; `on` is who hears, and never raises."""

    def __init__(self, huey: Any, on: Any) -> None:
        self.huey = huey
        self.on = on
        self._planted: list[tuple[str, Any, Any]] = []

    def plant(self) -> None:
        """Put everything in its place.

        Receivers come first: in 2.x one that raises hides those behind it.
        """
        for name, around in _METHODS.items():
            self._wrap(name, around)
        receivers = self.huey._signal.receivers  # noqa: SLF001  (`signal` appends)
        for each in _signals():
            receivers.setdefault(each, []).insert(0, self.on.signalled)
        self.huey.post_execute(NAME)(self.on.executed)
        self.huey.on_startup(NAME)(self.on.up)
        self.huey.on_shutdown(NAME)(self.on.down)

    def remove(self) -> None:
        """Take everything out."""
        while self._planted:
            name, before, wrapped = self._planted.pop()
            if vars(self.huey).get(name) is not wrapped:
                continue
            if before is None:
                delattr(self.huey, name)
            else:
                setattr(self.huey, name, before)
        self.huey.disconnect_signal(self.on.signalled, *_signals())
        self.huey.unregister_post_execute(NAME)
        self.huey.unregister_on_startup(NAME)
        self.huey.unregister_on_shutdown(NAME)

    def _wrap(self, name: str, around: Around) -> None:
        huey, before = self.huey, vars(self.huey).get(name)

        def original(*args: Any, **kwargs: Any) -> Any:
            """The method as it is now: others patch the class when they like."""
            if before is not None:
                return before(*args, **kwargs)
            return getattr(type(huey), name)(huey, *args, **kwargs)

        wrapped = wraps(getattr(huey, name))(around(original, self.on))
        setattr(huey, name, wrapped)
        self._planted.append((name, before, wrapped))


def _signals() -> list[str]:
    """Signals that this version of Huey sends and that are heard."""
    names = (value for key, value in vars(signals).items() if key.startswith("SIGNAL_"))
    return [name for name in names if name in _HEARD]


def _enqueue(original: Callable[..., Any], on: Any) -> Callable[..., Any]:
    def enqueue(task: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(task, *args, **kwargs)
        on.sent(task)
        return result

    return enqueue


def _execute(original: Callable[..., Any], on: Any) -> Callable[..., Any]:
    def execute(task: Any, *args: Any, **kwargs: Any) -> Any:
        if on.is_copy(task):
            return None
        has_returned = False
        try:
            value = original(task, *args, **kwargs)
            has_returned = True
            return value
        finally:
            on.left(task, None if has_returned else sys.exc_info()[1])

    return execute


def _dequeue(original: Callable[..., Any], on: Any) -> Callable[..., Any]:
    def dequeue(*args: Any, **kwargs: Any) -> Any:
        if on.leaves():
            raise KeyboardInterrupt  # ends one worker of a consumer, and is no error to it
        if on.is_held():
            return None
        on.taking()
        try:
            task = original(*args, **kwargs)
        finally:
            on.taken()
        return None if task is not None and on.given_back(task) else task

    return dequeue


def _read_schedule(original: Callable[..., Any], on: Any) -> Callable[..., Any]:
    def read_schedule(*args: Any, **kwargs: Any) -> Any:
        on.taking()
        try:
            return original(*args, **kwargs)
        finally:
            on.taken()

    return read_schedule


def _deserialize_task(original: Callable[..., Any], on: Any) -> Callable[..., Any]:
    def deserialize_task(data: Any, *args: Any, **kwargs: Any) -> Any:
        task = None
        try:
            task = original(data, *args, **kwargs)
            return task
        finally:
            if task is None:
                on.undecodable(data, sys.exc_info()[1])
            else:
                on.decoded(task, data)

    return deserialize_task


def _create_consumer(original: Callable[..., Any], on: Any) -> Callable[..., Any]:
    def create_consumer(*args: Any, **options: Any) -> Any:
        consumer = original(*args, **options)
        on.made(consumer)
        return consumer

    return create_consumer


def _notify_interrupted_tasks(original: Callable[..., Any], on: Any) -> Callable[..., Any]:
    def notify_interrupted_tasks() -> Any:
        result = original()
        on.stopped()
        return result

    return notify_interrupted_tasks


_METHODS: dict[str, Around] = {
    "enqueue": _enqueue,
    "execute": _execute,
    "dequeue": _dequeue,
    "read_schedule": _read_schedule,
    "deserialize_task": _deserialize_task,
    "create_consumer": _create_consumer,
    "notify_interrupted_tasks": _notify_interrupted_tasks,
}
