"""Typed rows and maps from decoded values. The rule: a class's annotations are its wire format.

Each annotation carries a Rule; `X | None` may be nil; a field with a default may be missing at the
end of a row. Extra trailing elements and unknown map keys are ignored.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Sequence
from typing import (
    Annotated,
    Any,
    NamedTuple,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from ..errors import WireError
from .codes import MAX_ARRAY, Fault, fault

T = TypeVar("T")
_REQUIRED = object()


class Rule(NamedTuple):
    """One type of the wire: how it is written in tables, and the check that returns the value."""

    label: str
    check: Callable[[Any], Any]


class AtMost(NamedTuple):
    """Bound of a list."""

    limit: int


class Field(NamedTuple):
    """One position or key."""

    name: str
    label: str
    check: Callable[[Any], Any]
    optional: bool
    default: Any

    @property
    def required(self) -> bool:
        """Whether a row may not end before it."""
        return self.default is _REQUIRED


def _int(label: str, low: int, high: int) -> Rule:
    def check(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise fault(Fault.MALFORMED, f"not {label}")
        return value

    return Rule(label, check)


def _of(label: str, kind: type[T], fits: Callable[[T], bool]) -> Rule:
    def check(value: Any) -> T:
        if type(value) is not kind or not fits(value):
            raise fault(Fault.MALFORMED, f"not {label}")
        return value

    return Rule(label, check)


def _float(value: Any) -> float:
    if type(value) not in (int, float):
        raise fault(Fault.MALFORMED, "not f64")
    return float(value)


def _str(limit: int) -> Rule:
    return _of(f"str ≤ {limit}", str, lambda text: len(text) <= limit)


def _bin(size: int) -> Rule:
    return _of(f"bin{size}", bytes, lambda data: len(data) == size)


def _str_map(limit: int) -> Rule:
    def fits(value: dict[Any, Any]) -> bool:
        return len(value) <= limit and all(type(one) is str for one in value.values())

    return _of(f"map str→str ≤ {limit}", dict, fits)


def one_of(*names: str) -> Rule:
    """One of a few words."""
    return _of(" | ".join(names), str, frozenset(names).__contains__)


U8: TypeAlias = Annotated[int, _int("u8", 0, 2**8 - 1)]
U16: TypeAlias = Annotated[int, _int("u16", 0, 2**16 - 1)]
U32: TypeAlias = Annotated[int, _int("u32", 0, 2**32 - 1)]
U64: TypeAlias = Annotated[int, _int("u64", 0, 2**64 - 1)]
I8: TypeAlias = Annotated[int, _int("i8", -(2**7), 2**7 - 1)]
I32: TypeAlias = Annotated[int, _int("i32", -(2**31), 2**31 - 1)]
I64: TypeAlias = Annotated[int, _int("i64", -(2**63), 2**63 - 1)]
Time: TypeAlias = Annotated[int, _int("t", 0, 2**64 - 1)]
F64: TypeAlias = Annotated[float, Rule("f64", _float)]
Bool: TypeAlias = Annotated[bool, _of("bool", bool, lambda _: True)]
Str32: TypeAlias = Annotated[str, _str(32)]
Str64: TypeAlias = Annotated[str, _str(64)]
Str128: TypeAlias = Annotated[str, _str(128)]
Str200: TypeAlias = Annotated[str, _str(200)]
Str256: TypeAlias = Annotated[str, _str(256)]
Str512: TypeAlias = Annotated[str, _str(512)]
Str2K: TypeAlias = Annotated[str, _str(2_048)]
Str8K: TypeAlias = Annotated[str, _str(8_192)]
TraceParent: TypeAlias = Annotated[str, _str(55)]
Bin: TypeAlias = Annotated[bytes, _of("bin", bytes, lambda _: True)]
Bin8: TypeAlias = Annotated[bytes, _bin(8)]
Bin16: TypeAlias = Annotated[bytes, _bin(16)]
Bin32: TypeAlias = Annotated[bytes, _bin(32)]
Labels16: TypeAlias = Annotated[dict[str, str], _str_map(16)]
Labels: TypeAlias = Annotated[dict[str, str], _str_map(256)]
Map: TypeAlias = Annotated[dict[str, Any], _of("map", dict, lambda _: True)]
Array: TypeAlias = Annotated[list[Any], _of("array", list, lambda _: True)]


def _sequence(inner: Rule, limit: int) -> Rule:
    def check(value: Any) -> tuple[Any, ...]:
        if type(value) is not list or len(value) > limit:
            raise fault(Fault.MALFORMED, f"not an array of at most {limit}")
        return tuple(map(inner.check, value))

    bound = "" if limit == MAX_ARRAY else f" ≤ {limit}"
    return Rule(f"[{inner.label}]{bound}", check)


def rule_of(hint: Any, limit: int = MAX_ARRAY) -> Rule:
    """The rule an annotation stands for."""
    if get_origin(hint) is Annotated:
        base, *notes = get_args(hint)
        if isinstance(notes[0], Rule):
            return notes[0]
        return rule_of(base, notes[0].limit)
    if get_origin(hint) is tuple:
        return _sequence(rule_of(get_args(hint)[0]), limit)
    return Rule(f"{hint.__name__} row", lambda value: read_row(hint, value))


def _field(name: str, hint: Any, default: Any) -> Field:
    optional = get_origin(hint) in (Union, types.UnionType)
    if optional:
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    rule = rule_of(hint)
    return Field(name, rule.label + "?" * optional, rule.check, optional, default)


_FIELDS: dict[type, tuple[Field, ...]] = {}


def fields_of(kind: type) -> tuple[Field, ...]:
    """Positions (of a NamedTuple) or keys (of a dataclass), in order."""
    known = _FIELDS.get(kind)
    if known is None:
        known = _FIELDS[kind] = _fields(kind)
    return known


def _fields(kind: type) -> tuple[Field, ...]:
    hints = get_type_hints(kind, include_extras=True)
    if dataclasses.is_dataclass(kind):
        missing = dataclasses.MISSING
        defaults = {f.name: f.default for f in dataclasses.fields(kind) if f.default is not missing}
    else:
        defaults = getattr(kind, "_field_defaults", {})
    return tuple(_field(name, hint, defaults.get(name, _REQUIRED)) for name, hint in hints.items())


def _value(field: Field, value: Any) -> Any:
    if value is None and field.optional:
        return None
    try:
        return field.check(value)
    except WireError as error:
        raise WireError(error.kind, f"{field.name}: {error}", error.close_code) from error


def _absent(field: Field) -> Any:
    if field.required:
        raise fault(Fault.MALFORMED, f"{field.name}: missing")
    return field.default


def read_row(kind: type[T], value: Any) -> T:
    """A decoded array as the NamedTuple `kind`.

    Raises:
        WireError: Malformed, naming the field.
    """
    if type(value) is not list:
        raise fault(Fault.MALFORMED, f"{kind.__name__} is not an array")
    fields = fields_of(kind)
    read = [_value(field, one) for field, one in zip(fields, value, strict=False)]
    read += [_absent(field) for field in fields[len(read) :]]
    return kind(*read)


def read_map(kind: type[T], value: Any) -> T:
    """A decoded map as the dataclass `kind`.

    Raises:
        WireError: Malformed, naming the key.
    """
    known = read_keys(kind, value)
    for field in fields_of(kind):
        if field.name not in known:
            known[field.name] = _absent(field)
    return kind(**known)


def read_keys(kind: type, value: Any) -> dict[str, Any]:
    """Those keys of `kind` a decoded map holds, checked."""
    if type(value) is not dict:
        raise fault(Fault.MALFORMED, f"{kind.__name__} is not a map")
    return {f.name: _value(f, value[f.name]) for f in fields_of(kind) if f.name in value}


def map_of(value: Any) -> dict[str, Any]:
    """A dataclass as the map that travels: nil is left out."""
    pairs = ((field.name, getattr(value, field.name)) for field in fields_of(type(value)))
    return {name: one for name, one in pairs if one is not None}


def cut(row: Sequence[Any]) -> Sequence[Any]:
    """`row` without its trailing nils."""
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return row[:end]
