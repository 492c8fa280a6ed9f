"""What may leave the process about arguments, results and errors.

    redactor = Redactor(mode="redacted", redact=("*_internal",), unredact=("sid",))
    redactor.preview_args(args, params=("user_id", "password"))      # (1, 22, '[7,"[redacted]"]')

The rule: nothing is shown that is named or shaped like a secret, nothing foreign is called, and
every preview is bounded. A preview is `(flags, size, text)`, bounded JSON for values; flags are
0 full, 1 redacted, 2 truncated, 4 opaque, 8 withheld.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from ..model.tasks import ErrorText
from .keys import Verdict, Verdicts, judge
from .quick import plain, plain_args
from .text import MASK, clipped, masked
from .traces import head_and_tail, message_of, trace_of
from .walk import OPAQUE, REDACTED, TRUNCATED, WITHHELD, Walk, class_name

__all__ = [
    "MASK",
    "MAX_ARGS_BYTES",
    "MAX_MESSAGE_BYTES",
    "MAX_TRACEBACK_BYTES",
    "MODES",
    "Preview",
    "Redactor",
    "Verdict",
    "error_preview",
    "judge",
    "preview_args",
    "preview_kwargs",
    "preview_text",
    "preview_value",
    "short_name",
]

Preview = tuple[int, int, str]
MODES = ("none", "types", "redacted", "full")
MAX_ARGS_BYTES = 2_048
MAX_MESSAGE_BYTES = 1_024
MAX_TRACEBACK_BYTES = 6_144
_WITHHELD: Preview = (WITHHELD, 0, "")
# What most tasks have: not worth a walk.
_NO_ARGS: Preview = (0, 2, "[]")
_NO_KWARGS: Preview = (0, 2, "{}")
_NOTHING: Preview = (0, 4, "null")
_MAX_NAME = 256
_defaults = Verdicts()


class Redactor:
    """Previews under one policy. Thread-safe; keeps verdicts on keys, never values."""

    def __init__(
        self, *, mode: str = "redacted", redact: Iterable[str] = (), unredact: Iterable[str] = ()
    ) -> None:
        """Take the policy.

        Args:
            mode: one of `MODES`; anything else shows nothing.
            redact: globs of further keys to mask, without regard to case.
            unredact: keys that are shown although their words are sensitive.
        """
        self.mode = mode if mode in MODES else "none"
        self._judge = Verdicts(redact, unredact)
        self._values = None if self.mode == "full" else self._judge

    def preview_args(
        self, args: Sequence[Any], params: Sequence[str] | None = None, mode: str | None = None
    ) -> Preview:
        """Positional arguments; `params` are the names of the task's parameters, in order."""
        mode = mode or self.mode
        if mode in {"none", "types"}:
            return _WITHHELD if mode == "none" else _types(args)
        if (type(args) is list or type(args) is tuple) and not args:
            return _NO_ARGS
        if mode != "full" and (text := _plain(plain_args, args, params or (), self._judge)):
            return 0, len(text), text
        walk = Walk(MAX_ARGS_BYTES, None if mode == "full" else self._judge)
        return _walked(walk, _Args(args, params or ()))

    def preview_kwargs(self, kwargs: Mapping[str, Any], mode: str | None = None) -> Preview:
        """Keyword arguments."""
        mode = mode or self.mode
        if mode in {"none", "types"}:
            return _WITHHELD if mode == "none" else _types(kwargs)
        if type(kwargs) is dict and not kwargs:
            return _NO_KWARGS
        return self._value(kwargs, mode)

    def preview_value(self, value: object, mode: str | None = None) -> Preview:
        """A result, or any other value."""
        mode = mode or self.mode
        if mode in {"none", "types"}:
            return _WITHHELD if mode == "none" else (WITHHELD, 0, f'"{class_name(type(value))}"')
        if value is None:
            return _NOTHING
        return self._value(value, mode)

    def _value(self, value: object, mode: str) -> Preview:
        if mode == "full":
            return _walked(Walk(MAX_ARGS_BYTES, None), value)
        if text := _plain(plain, value, self._judge):
            return 0, len(text), text
        return _walked(Walk(MAX_ARGS_BYTES, self._judge), value)

    def preview_text(self, text: str, max_bytes: int = MAX_MESSAGE_BYTES) -> Preview:
        """Text for people: a message, a call string."""
        if self.mode == "none":
            return _WITHHELD
        if type(text) is not str:
            text = str.__str__(text)
        whole = clipped(text)
        shown = whole if self._values is None else masked(whole, self._values)
        return _bounded(shown, text, whole, max_bytes)

    def error_preview(
        self, error: BaseException | ErrorText
    ) -> tuple[str, Preview | None, Preview | None]:
        """Name of the type, message and traceback of an exception."""
        # The class itself is looked at: isinstance would ask the error what it is.
        if issubclass(type(error), ErrorText):
            name, said, trace = cast("ErrorText", error)
        else:
            raised = cast("BaseException", error)
            name, said = class_name(type(raised)), message_of(raised, self._shown)
            trace = trace_of(raised, self._shown) if self.mode != "none" else None
        name = short_name(name)
        if self.mode == "none":
            return name, _WITHHELD, None
        return name, self.preview_text(said), self._trace(trace) if trace else None

    def headers(self, headers: Mapping[str, Any], max_items: int = 16) -> dict[str, str]:
        """Headers of a message as bounded text, secrets masked."""
        shown: dict[str, str] = {}
        if self.mode == "none":
            return shown
        held: Any = headers
        pairs = dict.items(held) if issubclass(type(held), dict) else held.items()
        for key, value in islice(pairs, max_items):
            if type(key) is str:
                walk = Walk(512, self._values)
                walk.under(key, value, 4)
                shown[key[:64]] = _clean("".join(walk.parts)).strip('"')
        return shown

    def _trace(self, trace: str) -> Preview:
        # Cut between lines before masking: a traceback may be far longer than what is shown.
        whole = head_and_tail(trace, MAX_TRACEBACK_BYTES - 256)
        shown = whole if self._values is None else masked(whole, self._values)
        return _bounded(shown, trace, whole, MAX_TRACEBACK_BYTES)

    def _shown(self, value: object) -> str:
        return self.preview_value(value)[2].strip('"')


class _Args:
    """Positional arguments with the names of their parameters."""

    __slots__ = ("args", "params")

    def __init__(self, args: Sequence[Any], params: Sequence[str]) -> None:
        self.args = args
        self.params = params


def _plain(text_of: Callable[..., str | None], *asked: Any) -> str | None:
    try:
        return text_of(*asked)
    except (RuntimeError, IndexError):  # changed by another thread meanwhile
        return None


def _walked(walk: Walk, value: Any) -> Preview:
    try:
        if type(value) is _Args:
            _walk_args(walk, value.args, value.params)
        else:
            walk.value(value, 0)
    except (RuntimeError, MemoryError):  # changed by another thread meanwhile, or far too deep
        return (OPAQUE, 0, "")
    text = _clean("".join(walk.parts))
    return (walk.flags, len(text) if text.isascii() else len(text.encode()), text)


def _walk_args(walk: Walk, args: Sequence[Any], params: Sequence[str]) -> None:
    kind = type(args)
    if kind is not tuple and kind is not list:
        walk.value(args, 0)
        return
    if not params:
        walk.sequence(args, 0)
        return
    walk.put("[")
    known = len(params)
    for index, value in enumerate(args):
        if index:
            walk.put(",")
        if walk.is_over(0):
            walk.flags |= TRUNCATED
            walk.put(f'"… {len(args) - index} more"')
            break
        if index < known:
            walk.under(params[index], value, 1)
        else:
            walk.value(value, 1)
    walk.put("]")


def _bounded(shown: str, text: str, whole: str, max_bytes: int) -> Preview:
    flags = REDACTED if shown is not whole and shown != whole else 0
    cut = _clean(shown).encode()
    size = len(cut)
    if size > max_bytes:
        flags |= TRUNCATED
        cut = cut[: max_bytes - 3]
        return flags, size, cut.decode(errors="ignore") + "…"
    if len(whole) < len(text):
        flags |= TRUNCATED
    return flags, size, cut.decode()


def _clean(text: str) -> str:
    """Text that UTF-8 can carry: lone surrogates become escapes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()


def _types(value: Any) -> Preview:
    if issubclass(type(value), dict):
        pairs = [f"{_quoted(key)}:{_kind(item)}" for key, item in list(dict.items(value))[:50]]
        return (WITHHELD, 0, "{" + ",".join(pairs) + "}")
    kinds = [_kind(item) for item in list(value)[:50]] if type(value) in {list, tuple} else []
    return (WITHHELD, 0, "[" + ",".join(kinds) + "]")


def _quoted(key: object) -> str:
    walk = Walk(256, _defaults)
    walk.text(key if type(key) is str else class_name(type(key)), 0)
    return _clean("".join(walk.parts))


def _kind(value: object) -> str:
    return _quoted(class_name(type(value)))


def short_name(name: str) -> str:
    """A name of at most 256 characters; a longer one ends in a digest of the whole."""
    name = _clean(name)
    if len(name) <= _MAX_NAME:
        return name
    return f"{name[:223]}#{hashlib.sha256(name.encode()).hexdigest()[:32]}"


_usual = Redactor()
preview_args = _usual.preview_args
preview_kwargs = _usual.preview_kwargs
preview_value = _usual.preview_value
preview_text = _usual.preview_text
error_preview = _usual.error_preview
