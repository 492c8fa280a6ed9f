"""Faults of our own side, let loose on purpose. The rule: each that happened is counted by kind."""

from __future__ import annotations

import errno
import functools
import inspect
import os
import random  # noqa: TID251  (seeded: one seed, one storm)
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import pytest
from z4j_core import Native, TaskEvent
from z4j_core.agent import boundary, replays
from z4j_core.errors import StoreUnavailable
from z4j_core.spool import files, hand, writer

ERRNOS = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EROFS, errno.EPERM, errno.EINTR)
RAISED = (ValueError, RecursionError, MemoryError, UnicodeError, AttributeError, OSError, KeyError)
SYSCALLS = frozenset({"write", "fstat", "open", "link", "stat", "listdir"})
_HALF, _THIRD, _FIFTH = 1 / 2, 1 / 3, 1 / 5
_FOR_EVER = threading.Event()


class Hostile:
    """Every look at it raises."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise MemoryError

    __str__ = __bytes__ = __len__ = __iter__ = __bool__ = __repr__
    __hash__ = __eq__ = cast("Any", __repr__)


class Grim:
    """An argument of an app which brokers can carry, and which cannot be looked at."""

    looks = 0
    """How often somebody has tried, whoever it was."""

    def _looked(self, *_: object) -> NoReturn:
        Grim.looks += 1
        raise RuntimeError("not to be looked at")

    __repr__ = __str__ = __bytes__ = __len__ = __iter__ = __bool__ = _looked
    __format__ = __contains__ = __getitem__ = __call__ = _looked


class Petrified:
    """Whoever looks at it never comes back."""

    def __repr__(self) -> str:
        _FOR_EVER.wait()
        return ""

    __str__ = __repr__


class FaultyOs:
    """The module `os` as one module of ours sees it; `call` decides what becomes of a call."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return functools.partial(self._call, name, real) if name in SYSCALLS else real


class Storm:
    """While it rages, what an adapter plants and what the agent does for it fails now and then."""

    def __init__(self, seed: int) -> None:
        self.fired: Counter[str] = Counter()
        self.is_on = False
        self._chance = random.Random(seed)  # noqa: S311  (no secret)
        self._lock = threading.Lock()

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Plant it where adapters and their hooks are made from now on; it does not rage yet."""
        with pytest.MonkeyPatch.context() as patch:
            real_hook, real_record = boundary.Emitter.hook, boundary.Emitter._record  # noqa: SLF001  (what is to fail)

            def hook(emitter: Any, fn: Any, *, raises: Any = ()) -> Any:
                return real_hook(emitter, self._spoilt(fn), raises=raises)

            def record(emitter: Any, event: TaskEvent, at_us: int) -> None:
                self._maybe("record", _FIFTH)
                real_record(emitter, self._disfigured(event), at_us)

            patch.setattr(boundary.Emitter, "hook", hook)
            patch.setattr(boundary.Emitter, "_record", record)
            patch.setattr(boundary, "pack", self._before("pack", boundary.pack))
            patch.setattr(hand.Hand, "hold", self._before("page", hand.Hand.hold))
            patch.setattr(replays.Replays, "_write", self._before("replay", _replay_write))
            patch.setattr(files, "os", FaultyOs(self._syscall))
            patch.setattr(writer, "write", functools.partial(self._syscall, "write", os.write))
            yield
            self.is_on = False

    def happens(self, kind: str, how_often: float) -> bool:
        """Whether a fault of a kind happens now; it is counted."""
        with self._lock:
            if not self.is_on or self._chance.random() >= how_often:
                return False
            self.fired[kind] += 1
            return True

    def _maybe(self, kind: str, how_often: float) -> None:
        if self.happens(kind, how_often):
            raise StoreUnavailable if kind == "replay" else self._chance.choice(RAISED)(kind)

    def _before(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def called(*args: Any, **kwargs: Any) -> Any:
            self._maybe(kind, _FIFTH)
            return real(*args, **kwargs)

        return called

    def _spoilt(self, fn: Any) -> Any:
        """A hook that fails before it has done anything, or after all of it."""
        if inspect.iscoroutinefunction(fn):

            @functools.wraps(fn)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                self._maybe("hook", _THIRD)
                found = await fn(*args, **kwargs)
                self._maybe("hook", _FIFTH)
                return found

            return awaited

        @functools.wraps(fn)
        def called(*args: Any, **kwargs: Any) -> Any:
            self._maybe("hook", _THIRD)
            found = fn(*args, **kwargs)
            self._maybe("hook", _FIFTH)
            return found

        return called

    def _disfigured(self, event: TaskEvent) -> TaskEvent:
        """A fact with something in it that cannot be told."""
        if not self.happens("fact", _HALF):
            return event
        changes: tuple[dict[str, Any], ...] = (
            {"args": (Hostile(), Petrified()), "kwargs": {"a": Hostile(), "b": Petrified()}},
            {"native": _raises},
            {"native": lambda: Native(cast("Any", None), cast("Any", "no bytes"))},
            {"error": KeyError(Hostile(), Petrified())},
            {"result": Petrified()},
            {"task": Hostile(), "queue": 7, "worker": Hostile()},
        )
        return event._replace(**self._chance.choice(changes))

    def _syscall(self, name: str, real: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if not self.happens(f"os.{name}", _FIFTH):
            return real(*args, **more)
        if name == "write" and self._chance.random() < _FIFTH:
            return real(args[0], args[1][: len(args[1]) // 2])
        raise OSError(self._chance.choice(ERRNOS), "injected")


def _raises() -> NoReturn:
    raise ZeroDivisionError


_replay_write = replays.Replays._write  # noqa: SLF001  (what is to fail)
