"""An exception as a type, a message and a traceback.

The rule: what the exception holds is read; its own `__str__` is never called and no locals are
taken.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from .walk import class_name, instance_dict

_FRAMES = 40
_HEAD_FRAMES = 8
_CHAIN = 6
_HEAD_CHARS = 1_024
_cause = BaseException.__dict__["__cause__"].__get__
_context = BaseException.__dict__["__context__"].__get__
_suppress = BaseException.__dict__["__suppress_context__"].__get__
_traceback = BaseException.__dict__["__traceback__"].__get__
_filename = OSError.__dict__["filename"].__get__
_args = BaseException.__dict__["args"].__get__
_SAID_IN = ("message", "msg", "detail", "reason", "description")
_BECAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n\n"


def message_of(error: BaseException, shown: Callable[[object], str]) -> str:
    """What an exception says, from its arguments; `shown` turns other values into bounded text."""
    args = _args(error)
    if issubclass(type(error), OSError) and [type(arg) for arg in args] == [int, str]:
        path = _filename(error)
        said = f"[Errno {args[0]}] {args[1]}"
        return said if path is None else f"{said}: {_plain(path, shown)}"
    if not args:
        held = instance_dict(error)
        said = next((held[name] for name in _SAID_IN if type(held.get(name)) is str), "")
        return str(said)
    return ", ".join(_plain(arg, shown) for arg in args[:8])


def _plain(value: object, shown: Callable[[object], str]) -> str:
    return value if type(value) is str else shown(value)


def trace_of(error: BaseException, shown: Callable[[object], str]) -> str:
    """The traceback as Python prints it, causes first."""
    parts: list[str] = []
    for cause, link in _chain(error):
        frames = list(_frames(_traceback(cause)))
        if frames:
            parts.append("Traceback (most recent call last):\n")
            parts += frames
        said = message_of(cause, shown)
        name = class_name(type(cause))
        parts.append((f"{name}: {said}" if said else name) + "\n" + link)
    return "".join(parts)


def _chain(error: BaseException) -> list[tuple[BaseException, str]]:
    """The exceptions from the first cause on, each with the words that lead to the next."""
    found: list[tuple[BaseException, str]] = [(error, "")]
    seen = {id(error)}
    while len(found) < _CHAIN:
        last = found[-1][0]
        cause, link = _cause(last), _BECAUSE
        if cause is None and not _suppress(last):
            cause, link = _context(last), _DURING
        if cause is None or id(cause) in seen:
            break
        seen.add(id(cause))
        found.append((cause, link))
    return found[::-1]


def _frames(trace: TracebackType | None) -> Iterator[str]:
    places: list[tuple[Any, int]] = []
    while trace is not None:
        places.append((trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    skipped = len(places) - _FRAMES
    for index, (code, line) in enumerate(places):
        if skipped > 0 and _HEAD_FRAMES <= index < _HEAD_FRAMES + skipped:
            if index == _HEAD_FRAMES:
                yield f"  … {skipped} frames …\n"
            continue
        yield f'  File "{code.co_filename}", line {line}, in {code.co_name}\n'
        source = linecache.getline(code.co_filename, line).strip()[:400]
        if source:
            yield f"    {source}\n"


def head_and_tail(text: str, limit: int) -> str:
    """The first sixth and the last five of a long text, cut between lines."""
    if len(text) <= limit:
        return text
    head = text[: limit // 6]
    head = head[: head.rfind("\n") + 1] or head
    tail = text[len(text) - (limit - len(head) - 8) :]
    cut = tail.find("\n")
    return f"{head}  …\n{tail[cut + 1 :] if cut >= 0 else tail}"
