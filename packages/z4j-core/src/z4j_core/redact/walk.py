"""A value as bounded JSON text with its secrets masked.

The rule: no method of a class that is not built in is ever called, whatever it is named; a class
is shown by its name and, where it declares fields, by their values as they lie in the object.
"""

from __future__ import annotations

import datetime as dt
import decimal
import types
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from json.encoder import encode_basestring
from typing import Any, cast
from zoneinfo import ZoneInfo

from ..payload import Node
from .keys import Verdict
from .text import MASK, MAX_TEXT, clipped, is_card, masked

FULL, REDACTED, TRUNCATED, OPAQUE, WITHHELD = 0, 1, 2, 4, 8
_DEPTH = 6
_ITEMS = 50
_CHARS = 1_000
_SHORTEST = 5
_PAIR_KEYS = 4
_NODES = 2_000
_INT_BITS = 3_300
_KEY_CHARS = 250
_ALWAYS = 48
_RESERVE = 320
_MASKED = f'"{MASK}"'
_CARD_MIN, _CARD_MAX = 10**12, 10**19
_type_dict = type.__dict__["__dict__"].__get__
_type_mro = type.__dict__["__mro__"].__get__
_type_name = type.__dict__["__qualname__"].__get__
Judge = Mapping[str, Verdict]


class Walk:
    """One walk over one value: the parts of its text and what had to be left out."""

    __slots__ = ("flags", "judge", "left", "nodes", "parts")

    def __init__(self, max_bytes: int, judge: Judge | None) -> None:
        self.parts: list[str] = []
        self.flags = FULL
        self.left = max_bytes - _RESERVE
        self.nodes = _NODES
        self.judge = judge

    def put(self, piece: str) -> None:
        """Add text of the result that is known to be short."""
        self.parts.append(piece)
        self.left -= len(piece) if piece.isascii() else len(piece.encode("utf-8", "replace"))

    def put_whole(self, piece: str) -> None:
        """Add what makes no sense when it is cut, if there is room."""
        if len(piece) > self.left and len(piece) > _ALWAYS:
            self.flags |= TRUNCATED
            piece = '"…"'
        self.put(piece)

    def put_quoted(self, text: str, most: int = _CHARS) -> None:
        """Add text as a JSON string of at most `most` bytes, or what room there is."""
        room = min(most, max(self.left, _ALWAYS))
        if len(text) <= room:
            piece = encoded(text)
            if len(piece.encode()) <= room + 2:
                self.put(piece)
                return
            room = room * len(text) // (2 * len(piece.encode()))
        self.flags |= TRUNCATED
        piece = encoded(text[:room])
        if len(piece.encode()) > max(self.left, _ALWAYS):
            piece = encoded(text[: room // 6])
        self.put(f'{piece[:-1]}…"')

    def value(self, value: object, depth: int) -> None:
        """Add one value."""
        self.nodes -= 1
        known = _WALKS.get(type(value))
        if known is not None:
            known(self, value, depth)
        else:
            self.inherited(value, depth)

    def under(self, key: str, value: object, depth: int) -> None:
        """Add a value that stands under a name."""
        if self.judge is not None:
            verdict = self.judge[key]
            if verdict and not _may_show(value, verdict):
                self.flags |= REDACTED
                self.put(_MASKED)
                return
        self.value(value, depth)

    def text(self, value: str, _depth: int) -> None:
        """Add a string, masked and then cut."""
        shown = value
        if self.judge is not None and len(value) >= _SHORTEST:
            shown = masked(clipped(value) if len(value) > MAX_TEXT else value, self.judge)
            if shown is not value and MASK in shown:
                self.flags |= REDACTED
        if len(value) > MAX_TEXT:
            self.flags |= TRUNCATED
        self.put_quoted(shown)

    def number(self, value: int, _depth: int) -> None:
        """Add an integer, exact up to a thousand digits."""
        if value.bit_length() > _INT_BITS:
            self.flags |= TRUNCATED
            self.put(f'"<int, {value.bit_length()} bits>"')
            return
        piece = str(value)
        if _CARD_MIN <= value < _CARD_MAX and self.judge is not None and is_card(piece):
            self.flags |= REDACTED
            piece = _MASKED
        self.put_whole(piece)

    def real(self, value: float, _depth: int) -> None:
        """Add a float; what JSON has no number for is text."""
        piece = repr(value)
        self.put(piece if piece[-1].isdigit() else _NOT_NUMBERS[piece])

    def items(self, values: Iterable[object], count: int, depth: int) -> None:
        """Add a sequence."""
        self.put("[")
        for index, value in enumerate(islice(values, _ITEMS)):
            if index:
                self.put(",")
            if self.is_over(depth):
                self.flags |= TRUNCATED
                self.put(f'"… {count - index} more"]')
                return
            self.value(value, depth + 1)
        if count > _ITEMS:
            self.flags |= TRUNCATED
            self.put(f',"… {count - _ITEMS} more"')
        self.put("]")

    def sequence(self, value: Any, depth: int) -> None:
        """Add a list, a tuple or a set; in a pair the first may name the second."""
        count = len(value)
        if count == 2 and type(value) is not set:  # noqa: PLR2004 - a pair
            first, second = value
            if type(first) is str and len(first) <= _CHARS and not self.is_over(depth):
                self.put("[")
                self.text(first, depth)
                self.put(",")
                self.under(first, second, depth + 1)
                self.put("]")
                return
        self.items(value, count, depth)

    def mapping(self, value: Any, depth: int) -> None:
        """Add a dict; `{"name": …, "value": …}` is a pair too."""
        count = len(value)
        named = None
        if self.judge is not None and 1 < count <= _PAIR_KEYS:
            # Compared one by one: looking a key up would ask foreign keys whether they are equal.
            held = {key: item for key, item in dict.items(value) if type(key) is str}
            label = held.get("name", held.get("key")) if "value" in held else None
            named = label if type(label) is str else None
        self.fields(dict.items(value), count, depth, named)

    def fields(
        self,
        pairs: Iterable[tuple[object, object]],
        count: int,
        depth: int,
        named: str | None = None,
    ) -> None:
        """Add named values; `named` is what the field `value` is about."""
        self.put("{")
        for index, (key, value) in enumerate(islice(pairs, _ITEMS)):
            if index:
                self.put(",")
            if self.is_over(depth):
                self.flags |= TRUNCATED
                self.put(f'"…":"{count - index} more"}}')
                return
            name = key if type(key) is str else self.name_of(key)
            self.put_quoted(self.shown_name(name), _KEY_CHARS)
            self.put(":")
            self.under(named if named and name == "value" else name, value, depth + 1)
        if count > _ITEMS:
            self.flags |= TRUNCATED
            self.put(f',"…":"{count - _ITEMS} more"')
        self.put("}")

    def shown_name(self, name: str) -> str:
        """A key as it may be shown: keys carry secrets too."""
        if len(name) > _KEY_CHARS:
            self.flags |= TRUNCATED
            name = name[:_KEY_CHARS]
        if self.judge is None or len(name) < 13:  # noqa: PLR2004 - shorter than any token
            return name
        shown = masked(name, self.judge)
        if shown is not name and MASK in shown:
            self.flags |= REDACTED
        return shown

    def name_of(self, key: object) -> str:
        """Text of a key that is no string."""
        if type(key) in {int, float, bool, type(None)}:
            inner = Walk(_CHARS, self.judge)
            inner.value(key, 0)
            self.flags |= inner.flags
            return "".join(inner.parts).strip('"')
        if issubclass(type(key), str):
            return str.__str__(cast("str", key))
        return f"<{class_name(type(key))}>"

    def is_over(self, depth: int) -> bool:
        """Whether nothing more fits."""
        return self.left <= 0 or self.nodes <= 0 or depth >= _DEPTH

    def inherited(self, value: object, depth: int) -> None:
        """Add an instance of any other class by what it inherits or declares."""
        kind = type(value)
        for base, plain in _BASES:
            if issubclass(kind, base):
                self.derived(kind, base, plain(value), depth)
                return
        fields = declared_fields(value)
        if fields is None or self.is_over(depth):
            self.flags |= OPAQUE
            self.put_quoted(f"<{class_name(kind)}>")
            return
        self.fields(fields, len(fields), depth)

    def derived(self, kind: type, base: type, plain: Any, depth: int) -> None:
        """Add the built-in value inside an instance of a subclass."""
        names = in_class(kind, "_fields") if base is tuple else None
        if type(names) is tuple and len(names) == len(plain):
            self.fields(zip(names, plain, strict=True), len(plain), depth)
        else:
            _WALKS[base](self, plain, depth)


def encoded(text: str) -> str:
    """A JSON string that UTF-8 can carry: lone surrogates become escapes."""
    piece: str = encode_basestring(text)
    if piece.isascii():
        return piece
    return piece.encode("utf-8", "backslashreplace").decode()


def _may_show(value: object, verdict: Verdict) -> bool:
    if value is None or value is True or value is False:
        return True
    return verdict is Verdict.COUNT and type(value) in {int, float}


def class_name(kind: type) -> str:
    """Module and name of a class, without asking it."""
    name = _type_name(kind)
    module = _type_dict(kind).get("__module__")
    if type(module) is not str or module == "builtins":
        return str.__str__(name)[:200]
    return f"{module}.{name}"[:200]


def in_class(kind: type, name: str) -> Any:
    """What a class or its bases hold under a name, without running a descriptor."""
    for base in _type_mro(kind):
        space = _type_dict(base)
        if name in space:
            return space[name]
    return None


def instance_dict(value: object) -> dict[str, Any]:
    """The attributes of an instance as they lie in it; empty when it has no dict."""
    getter = in_class(type(value), "__dict__")
    if type(getter) is not types.GetSetDescriptorType:
        return {}
    found = getter.__get__(value)
    return found if type(found) is dict else {}


def declared_fields(value: object) -> list[tuple[str, Any]] | None:
    """Names and values of a dataclass, attrs or pydantic instance, else None."""
    kind = type(value)
    names: Any = None
    for marker in ("__dataclass_fields__", "__pydantic_fields__", "model_fields", "__fields__"):
        found = in_class(kind, marker)
        if type(found) is dict:
            names = list(found)
            break
    else:
        attributes = in_class(kind, "__attrs_attrs__")
        if issubclass(type(attributes), tuple):
            names = [instance_or_slot(attribute, "name") for attribute in attributes]
    if names is None:
        return None
    return [(name, instance_or_slot(value, name)) for name in names if type(name) is str]


def instance_or_slot(value: object, name: str) -> Any:
    """An attribute from the instance's dict or slot."""
    attributes = instance_dict(value)
    if name in attributes:
        return attributes[name]
    slot = in_class(type(value), name)
    if type(slot) is types.MemberDescriptorType:
        try:
            return slot.__get__(value)
        except AttributeError:
            return None
    return None


def _moment(walk: Walk, value: Any, _depth: int) -> None:
    zone = getattr(value, "tzinfo", None)
    if zone is None or type(zone) in {dt.timezone, ZoneInfo}:
        walk.put(f'"{value.isoformat()}"')
    else:
        walk.put(f'"{value.replace(tzinfo=None).isoformat()}"')


def _told(walk: Walk, value: Any, _depth: int) -> None:
    walk.put_quoted(str(value))


def _decimal(walk: Walk, value: decimal.Decimal, _depth: int) -> None:
    is_small = value.__sizeof__() < _CHARS and abs(value.adjusted()) < _CHARS
    walk.put_whole(f'"{value}"' if is_small else '"<decimal.Decimal>"')


def _bytes(walk: Walk, value: Any, _depth: int) -> None:
    walk.flags |= OPAQUE
    walk.put(f'"<{type(value).__name__}, {len(value)} B>"')


def _node(walk: Walk, value: Node, depth: int) -> None:
    walk.flags |= OPAQUE
    held = value.state if type(value.state) is dict else value.args
    if not held or walk.is_over(depth):
        walk.put_quoted(f"<{value.name}>")
    else:
        walk.fields([(f"<{value.name}>", held)], 1, depth)


_NOT_NUMBERS = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}
_WALKS: dict[type, Callable[[Walk, Any, int], None]] = {
    str: Walk.text,
    int: Walk.number,
    float: Walk.real,
    bool: lambda walk, value, _depth: walk.put("true" if value else "false"),
    type(None): lambda walk, _value, _depth: walk.put("null"),
    list: Walk.sequence,
    tuple: Walk.sequence,
    set: Walk.sequence,
    frozenset: lambda walk, value, depth: walk.items(value, len(value), depth),
    deque: lambda walk, value, depth: walk.items(value, len(value), depth),
    dict: Walk.mapping,
    OrderedDict: Walk.mapping,
    defaultdict: Walk.mapping,
    types.MappingProxyType: lambda walk, value, _depth: _proxy(walk, value),
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: lambda walk, value, _depth: walk.put(f'"<memoryview, {value.nbytes} B>"'),
    dt.datetime: _moment,
    dt.date: _moment,
    dt.time: _moment,
    dt.timedelta: _told,
    decimal.Decimal: _decimal,
    uuid.UUID: _told,
    range: _told,
    Node: _node,
}
_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (bool, int.__bool__),
    (int, int.__int__),
    (float, float.__float__),
    (dict, lambda value: dict(dict.items(value))),
    (list, lambda value: list(list.__iter__(value))),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (bytes, bytes.__bytes__),
)


def _proxy(walk: Walk, _value: Mapping[Any, Any]) -> None:
    walk.flags |= OPAQUE
    walk.put('"<mappingproxy>"')
