"""Timing rules as people write them. The rule: sugar says nothing that a spec could not.

`cron: "0 2 * * *"` with `tz` beside it is one spec of kind cron. Each place in a spec remembers
where it was written, so that an error names that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import ScheduleInvalid
from .kinds import Spec, read_spec
from .moments import Json
from .read import bounds, escaped

SUGAR = ("cron", "interval", "calendar", "once", "solar", "rrule", "on_start")
"""Kinds that a schedule may name as a field."""
BESIDE = ("tz", "dialect", "dst")
"""Fields that may stand beside it instead of inside."""
_MAIN = {"cron": "expr", "interval": "every", "once": "at", "rrule": "text"}
"""What a value that is no mapping stands for."""
_TAKES = {
    "cron": BESIDE,
    "calendar": ("tz", "dst"),
    "once": ("tz",),
    "rrule": ("dst",),
}
_FORMS = f"exactly one of {', '.join(SUGAR)} or specs"
Where = Callable[[str], str]


def specs_of(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> tuple[list[Any], Where]:
    """The specs of a schedule, and where a pointer into them was written.

    `defaults` are those of the whole set: what a kind does not take is passed over there, and
    refused where it stands beside the schedule itself.

    Raises:
        ScheduleInvalid: no timing rule, or more than one, or a field beside one that takes none
    """
    named = [name for name in (*SUGAR, "specs") if given.get(name) is not None]
    if len(named) != 1:
        what = f"{' and '.join(named)} at once" if named else "no timing rule"
        pointer = f"/{named[1]}" if named else ""
        raise bounds(what, f"write {_FORMS}", pointer)
    (name,) = named
    specs = _listed(given["specs"]) if name == "specs" else [_spec(name, given[name])]
    filled, from_where = [], {}
    for place, spec in enumerate(specs):
        own = dict(spec) if isinstance(spec, Mapping) else spec
        for field in _taken(own):
            for source, prefix in ((given, ""), (defaults, "/defaults")):
                if own.get(field) is None and source.get(field) is not None:
                    own[field] = source[field]
                    from_where[f"/specs/{place}/{field}"] = f"{prefix}/{field}"
        filled.append(own)
    _all_taken(given, specs, name)
    return filled, lambda pointer: from_where.get(pointer) or _written_at(pointer, name, given)


def _listed(value: Any) -> Sequence[Any]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise bounds("specs is no list", "write a list of objects with kind", "/specs")
    return value


def _spec(kind: str, value: Any) -> Any:
    if kind == "on_start":
        if value is not True:
            raise bounds("it is not true", "write on_start: true, or leave it out", f"/{kind}")
        return {"kind": kind}
    if isinstance(value, Mapping):
        if "kind" in value:
            raise bounds("no such field", f"{kind} is the kind", f"/{kind}/kind")
        return {**value, "kind": kind}
    if kind not in _MAIN:
        raise bounds("it is no object", "write an object with its fields", f"/{kind}")
    return {"kind": kind, _MAIN[kind]: value}


def _taken(spec: Any) -> tuple[str, ...]:
    kind = spec.get("kind") if isinstance(spec, Mapping) else None
    return _TAKES.get(kind, ()) if isinstance(kind, str) else ()


def _all_taken(given: Mapping[str, Any], specs: Sequence[Any], name: str) -> None:
    for field in BESIDE:
        if given.get(field) is not None and not any(field in _taken(spec) for spec in specs):
            raise bounds(f"{name} has no {field}", "take it out", f"/{field}")


def _written_at(pointer: str, name: str, given: Mapping[str, Any]) -> str:
    """Where a pointer into specs leads in what was written."""
    if name == "specs" or not (pointer == "/specs" or pointer.startswith("/specs/0")):
        return pointer
    inside = pointer.removeprefix("/specs").removeprefix("/0")
    return f"/{name}{inside}" if isinstance(given[name], Mapping) else f"/{name}"


def sugar_of(specs: Sequence[Spec]) -> Json:
    """The shortest way to write specs that reads back as the same."""
    if len(specs) != 1 or specs[0].kind not in SUGAR:
        return {"specs": [_short(spec) for spec in specs]}
    (spec,) = specs
    if spec.kind == "on_start":
        return {"on_start": True}
    short = _short(spec)
    del short["kind"]
    beside = {field: short.pop(field) for field in _TAKES.get(spec.kind, ()) if field in short}
    main = _MAIN.get(spec.kind)
    value = short[main] if main is not None and set(short) == {main} else short
    return {spec.kind: value, **beside}


def _short(spec: Spec) -> Json:
    """A spec without what it would have anyway."""
    short = spec.json()
    for field in [name for name in short if name != "kind"]:
        less = {name: value for name, value in short.items() if name != field}
        if _reads_as(less, spec):
            short = less
    return short


def _reads_as(document: Json, spec: Spec) -> bool:
    try:
        return read_spec(document) == spec
    except ScheduleInvalid:
        return False


def under_name(pointer: str, name: str) -> str:
    """A pointer into one schedule as one into the set."""
    return pointer if pointer.startswith("/defaults/") else f"/schedules/{escaped(name)}{pointer}"
