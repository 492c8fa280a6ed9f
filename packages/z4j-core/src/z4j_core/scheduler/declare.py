"""Schedules declared in code or a file. The rule: one format, read here, whoever wrote it.

    {"tag": "shop", "defaults": {"tz": "Europe/Paris"},
     "schedules": {"nightly": {"task": "shop.bill", "cron": "0 2 * * *"}}}

`schedules` may also stand alone. Every fault is found at once, each with its JSON pointer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from ..errors import ScheduleInvalid, WireError
from . import read
from .build import Context, build
from .document import Definition, read_definition
from .fires import digest
from .moments import Json
from .read import bounds, escaped, nearest
from .spec import TriggerSpec
from .sugar import BESIDE, SUGAR, specs_of, sugar_of, under_name
from .workdays import DaysOff

MOST = 10_000
Invocation = tuple[str, list[Any], dict[str, Any]]
"""Task, args, kwargs."""
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WHOLE = ("tag", "defaults", "schedules")
_USUAL: Json = Definition("", "", TriggerSpec(())).json()
_PLACE = ("engine", "app", "enabled")
_AS_WRITTEN = frozenset({"args", "kwargs", "headers", "options"})
FIELDS = (*(name for name in _USUAL if name != "name"), *_PLACE, *SUGAR, *BESIDE)
"""Every field a declared schedule may have."""
_TIMED = (*SUGAR, "specs")
_DEFAULTS = tuple(name for name in FIELDS if name not in _TIMED)
_DEFINED = frozenset(_USUAL) - {"name", "specs"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One declared schedule. `engine` and `app` None: the only one there is.

    `enabled` None leaves it to operators.
    """

    definition: Definition
    engine: str | None = None
    app: str | None = None
    enabled: bool | None = None

    def document(self) -> Json:
        """Every field written out."""
        place = {name: getattr(self, name) for name in _PLACE if getattr(self, name) is not None}
        return {**self.definition.json(), **place}

    def brief(self) -> Json:
        """The same without name and without what each schedule has anyway, as it is applied."""
        return {
            name: value
            for name, value in self.document().items()
            if name != "name" and (name not in _USUAL or value != _USUAL[name])
        }


@dataclass(frozen=True, slots=True)
class Declared:
    """A set of schedules that belong together under a tag; "" where none was given."""

    tag: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def documents(self) -> dict[str, Json]:
        """Each schedule by its name, every field written out."""
        return {name: entry.document() for name, entry in self.entries.items()}

    def digest(self) -> bytes:
        """SHA-256 of the canonical form: equal sets have equal digests, however written."""
        text = json.dumps(
            [self.tag, self.documents()],
            sort_keys=True, separators=(",", ":"), ensure_ascii=False,
        )  # fmt: skip
        return sha256(text.encode("utf-8", "surrogatepass")).digest()

    def invocations(self) -> list[Invocation]:
        """What its schedules enqueue: with these arguments a task is registered."""
        found = (entry.definition for entry in self.entries.values())
        return [(each.task, list(each.args), dict(each.kwargs)) for each in found]


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read, and every fault with its pointer into what was given."""

    declared: Declared
    faults: tuple[ScheduleInvalid, ...] = ()


def read_declared(value: Any, tag: str = "") -> Reading:
    """Read a set; raises nothing. `tag` is the one of a set that gives none."""
    faults: list[ScheduleInvalid] = []
    if not isinstance(value, Mapping):
        return Reading(Declared(), (bounds("no schedules", "write a mapping of names"),))
    whole = value if "schedules" in value else {"schedules": value}
    faults += _unknown(whole, _WHOLE, "")
    found = _tag(whole.get("tag"), tag, faults)
    defaults = _defaults(whole.get("defaults"), faults)
    entries: dict[str, Entry] = {}
    for name, given in _named(whole["schedules"], faults):
        try:
            entries[name] = _entry(name, given, defaults)
        except ScheduleInvalid as error:
            faults.append(_moved(error, under_name(error.pointer, str(name))))
        except RecursionError:
            faults.append(bounds("nested too deep", "flatten it", under_name("", str(name))))
    return Reading(Declared(found, entries), tuple(faults))


def written(declared: Declared) -> Json:
    """A set in the short form people write; it reads back as the same set."""
    schedules = {name: _short(entry) for name, entry in declared.entries.items()}
    return ({"tag": declared.tag} if declared.tag else {}) | {"schedules": schedules}


def entry_of(row: Mapping[str, Any]) -> Entry:
    """A schedule as it is declared, from a document that holds more, such as a brain's row.

    Raises:
        ScheduleInvalid: with the pointer of the field that is wrong
    """
    definition = read_definition({name: row[name] for name in _USUAL if name in row})
    return Entry(definition, row.get("engine"), row.get("app"))


def _entry(name: str, given: Any, defaults: Json) -> Entry:
    if not isinstance(given, Mapping):
        raise bounds("it is no object", "write an object with task and a timing rule")
    wrong = _unknown(given, FIELDS, "")
    if wrong:
        raise wrong[0]
    mine = {key: _plain(value, key) for key, value in given.items()}
    inherited = {key: value for key, value in defaults.items() if key not in mine}
    specs, where = specs_of(mine, inherited)
    document = {key: value for key, value in {**inherited, **mine}.items() if key in _DEFINED}
    try:
        definition = read_definition({**document, "name": name, "specs": specs})
        build(definition.trigger, _context(definition))
        _check_sendable(definition)
    except ScheduleInvalid as error:
        raise _moved(error, _origin(where(error.pointer), inherited)) from error
    return Entry(definition, **_place(mine, inherited))


def _check_sendable(definition: Definition) -> None:
    for pointer, args, kwargs in (
        ("/args", definition.args, {}),
        ("/kwargs", (), definition.kwargs),
    ):
        try:
            digest(definition.task, args, kwargs)
        except WireError as error:
            raise ScheduleInvalid(
                "schedule.args", "an integer beyond 64 bits", hint="write a text", pointer=pointer
            ) from error


def _place(mine: Json, inherited: Json) -> dict[str, Any]:
    readers = {"engine": read.text(64), "app": read.text(200), "enabled": read.flag}
    found: dict[str, Any] = {}
    for key, reader in readers.items():
        value = mine.get(key, inherited.get(key))
        if value is None:
            continue
        try:
            found[key] = reader(value)
        except ScheduleInvalid as error:
            raise _moved(error, _origin(f"/{key}", inherited)) from error
    return found


def _origin(pointer: str, inherited: Json) -> str:
    """Where a field was written: in the defaults, unless the schedule has its own."""
    if pointer == "/name":
        return ""
    first = pointer[1:].partition("/")[0]
    return f"/defaults{pointer}" if first in inherited else pointer


def _context(definition: Definition) -> Context:
    """Calendars live in the brain: here each is one without days off."""
    return Context(calendars={each.ref: DaysOff() for each in definition.trigger.calendars})


def _tag(given: Any, usual: str, faults: list[ScheduleInvalid]) -> str:
    if given is None:
        return usual
    if isinstance(given, str) and _TAG.fullmatch(given):
        return given
    faults.append(
        bounds(f"no tag {str(given)[:40]!r}", "write letters, digits, dots and dashes", "/tag")
    )
    return usual


def _defaults(given: Any, faults: list[ScheduleInvalid]) -> Json:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        faults.append(bounds("it is no object", "write an object of fields", "/defaults"))
        return {}
    faults += [
        bounds("a timing rule for all of them", "write it in each", f"/defaults/{name}")
        for name in given
        if name in _TIMED
    ]
    faults += _unknown(given, (*_DEFAULTS, *_TIMED), "/defaults")
    return {name: _plain(each, name) for name, each in given.items() if name in _DEFAULTS}


def _named(given: Any, faults: list[ScheduleInvalid]) -> Iterable[tuple[str, Any]]:
    if not isinstance(given, Mapping):
        faults.append(bounds("it is no object", "write an object of names", "/schedules"))
        return ()
    if len(given) > MOST:
        faults.append(bounds(f"more than {MOST} schedules", "split the set", "/schedules"))
        return ()
    return given.items()


def _unknown(given: Mapping[Any, Any], known: Iterable[str], under: str) -> list[ScheduleInvalid]:
    names = tuple(known)
    return [
        bounds("no such field", nearest(str(name), names), f"{under}/{escaped(str(name))}")
        for name in given
        if name not in names
    ]


def _plain(value: Any, name: str) -> Any:
    """Times and lists of Python, TOML and YAML as JSON has them; arguments stay as they are."""
    if name in _AS_WRITTEN:
        return list(value) if isinstance(value, tuple) else value
    if isinstance(value, timedelta):
        return read.seconds(value // timedelta(milliseconds=1))
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(each, "") for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, "") for each in value]
    return value


def _moved(error: ScheduleInvalid, pointer: str) -> ScheduleInvalid:
    return ScheduleInvalid(
        error.code, error.text, hint=error.hint, pointer=pointer, column=error.column
    )


def _short(entry: Entry) -> Json:
    rest = entry.brief()
    del rest["specs"]
    return {"task": rest.pop("task"), **sugar_of(entry.definition.trigger.specs), **rest}
