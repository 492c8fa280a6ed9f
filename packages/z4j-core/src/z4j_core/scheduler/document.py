"""A schedule as a document. The rule: one function reads it, whoever wrote it.

A `Definition` is what people write: what to enqueue, when, and the rules. A `Replica` is what
agents hold of it: the definition with its id, generation and standing, as canonical JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ..errors import ScheduleInvalid
from . import read
from .arguments import arguments, decoded_arguments
from .build import Context, build
from .fires import RESERVED
from .moments import Json
from .policy import Schedule
from .read import Fields, bounds
from .rules import USUAL_RULES, Rules
from .spec import TRIGGER_FIELDS, TriggerSpec
from .trigger import Trigger
from .workdays import DaysOff

MAX_TEXT = 2_000
_TASK = read.text(200)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _name(value: Any) -> str:
    """A name: no control characters, no blanks at its ends."""
    try:
        found = _TASK(value)
    except ScheduleInvalid as error:
        raise ScheduleInvalid("schedule.name", error.text, hint=error.hint) from error
    if found.strip() != found or _CONTROL.search(found):
        raise ScheduleInvalid(
            "schedule.name", "blanks around it or control characters", hint="take them out"
        )
    return found


def _about(value: Any) -> str:
    return "" if value == "" else read.text(MAX_TEXT)(value)


def _options(value: Any) -> Json:
    found: Json = arguments(value, dict, {})
    for name in found:
        if name in RESERVED:
            raise ScheduleInvalid(
                "schedule.option",
                f"{name!r} is set by z4j",
                hint="take it out",
                pointer=f"/{read.escaped(name)}",
            )
    return found


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How often placing a fire is tried while the broker does not answer."""

    max_tries: int = 5
    max_age_s: int = 3_600

    @classmethod
    def read(cls, value: Any) -> Dispatch:
        """From its document."""
        fields = Fields(value, "dispatch")
        found = cls(
            fields.take("max_tries", read.whole(1, 100), 5),
            fields.take("max_age_s", read.whole(1, 7 * 86_400), 3_600),
        )
        fields.done()
        return found

    def json(self) -> Json:
        """As a document."""
        return {"max_tries": self.max_tries, "max_age_s": self.max_age_s}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "args": lambda value: tuple(arguments(value, list, [])),
    "kwargs": lambda value: arguments(value, dict, {}),
    "headers": lambda value: arguments(value, dict, {}),
    "queue": read.text(200),
    "priority": read.whole(-(1 << 31), (1 << 31) - 1),
    "options": _options,
    "delivery": read.choice("effectively_once", "at_most_once"),
    "dispatch": Dispatch.read,
    "description": _about,
    "tags": read.many(read.text(64), 0, 32),
}


_DECODED: Mapping[str, Callable[[Any], Any]] = {
    **_READERS,
    "args": lambda value: tuple(decoded_arguments(value, list, [])),
    "kwargs": lambda value: decoded_arguments(value, dict, {}),
    "headers": lambda value: decoded_arguments(value, dict, {}),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """What people write. `args` and `kwargs` are JSON values, `options` the engine's own."""

    name: str
    task: str
    trigger: TriggerSpec
    rules: Rules = USUAL_RULES
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    queue: str | None = None
    priority: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    delivery: str = "effectively_once"
    dispatch: Dispatch = Dispatch()
    description: str = ""
    tags: tuple[str, ...] = ()

    @classmethod
    def read(
        cls,
        fields: Fields,
        trigger: TriggerSpec | None = None,
        readers: Mapping[str, Callable[[Any], Any]] = _READERS,
    ) -> Definition:
        """From the fields of a document that may hold others; `trigger` where it is known."""
        if trigger is not None:
            fields.skip(TRIGGER_FIELDS)
        return cls(
            name=fields.take("name", _name),
            task=fields.take("task", _TASK),
            trigger=trigger or TriggerSpec.read(fields),
            rules=Rules.read(fields),
            **fields.given(readers),
        )

    def json(self) -> Json:
        """As a document, every default written out."""
        return {
            "name": self.name,
            "description": self.description,
            "tags": list(self.tags),
            "task": self.task,
            "args": list(self.args),
            "kwargs": dict(self.kwargs),
            "headers": dict(self.headers),
            "queue": self.queue,
            "priority": self.priority,
            "options": dict(self.options),
            "delivery": self.delivery,
            "dispatch": self.dispatch.json(),
            **self.trigger.json(),
            **self.rules.json(),
        }


def read_definition(value: Any) -> Definition:
    """A definition from its document.

    Raises:
        ScheduleInvalid: with the pointer of the field that is wrong
    """
    fields = Fields(value, "a schedule")
    found = Definition.read(fields)
    fields.done()
    return found


def days_off_json(days: DaysOff) -> Json:
    """A calendar as a document."""
    return {
        "dates": sorted(day.isoformat() for day in days.dates),
        "weekend": sorted(days.weekend),
    }


def read_days_off(value: Any) -> DaysOff:
    """A calendar from its document: dates in ISO 8601, days of the week with Sunday as 0.

    Raises:
        ScheduleInvalid: schedule.bounds, with the pointer of what is wrong
    """
    fields = Fields(value, "a calendar")
    found = DaysOff(
        frozenset(fields.take("dates", read.many(_date, 0, 10_000), ())),
        frozenset(fields.take("weekend", read.many(read.whole(0, 6), 0, 6), ())),
    )
    fields.done()
    return found


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise bounds(f"no date {str(value)[:40]!r}", "write 2026-12-25") from error


@dataclass(frozen=True, slots=True)
class Replica:
    """A schedule as agents hold it. Instants are milliseconds since the epoch.

    `generation` rises when a field that decides slots changes, and `effective_ms` is when it did;
    `not_before_ms` is when it was enabled or resumed. `days_off` is the content of the
    calendars that the trigger names. `revision` is that of the row.
    """

    id: str
    generation: int
    revision: int
    created_ms: int
    effective_ms: int
    definition: Definition
    not_before_ms: int = 0
    enabled: bool = True
    paused: bool = False
    paused_until_ms: int | None = None
    days_off: Mapping[str, DaysOff] = field(default_factory=dict)

    def json(self) -> Json:
        """As a document, every default written out."""
        return {
            "id": self.id,
            "generation": self.generation,
            "revision": self.revision,
            "created_ms": self.created_ms,
            "effective_ms": self.effective_ms,
            "not_before_ms": self.not_before_ms,
            "enabled": self.enabled,
            "paused": self.paused,
            "paused_until_ms": self.paused_until_ms,
            "days_off": {name: days_off_json(days) for name, days in self.days_off.items()},
            **self.definition.json(),
        }

    def encoded(self) -> bytes:
        """Canonical JSON: equal replicas are equal bytes."""
        return row_of(self.json())

    def planned(self, ended_ms: int | None = None, trigger: Trigger | None = None) -> Schedule:
        """As `plan` wants it. `ended_ms`: when the last run ended, for fixed delays.

        `trigger` where the one of the definition was built before.

        Raises:
            ScheduleInvalid: the trigger cannot be built here
        """
        if trigger is None:
            context = Context(self.id, self.created_ms, self.days_off, ended_ms)
            trigger = build(self.definition.trigger, context)
        return Schedule(
            id=self.id,
            trigger=trigger,
            rules=self.definition.rules,
            effective_ms=self.effective_ms,
            not_before_ms=self.not_before_ms,
            enabled=self.enabled,
            paused=self.paused,
            paused_until_ms=self.paused_until_ms,
            max_fires=self.definition.trigger.max_fires,
        )


_ALWAYS = frozenset(
    ("id", "generation", "revision", "created_ms", "effective_ms", "name", "task", "specs")
)
_USUAL = {
    name: value
    for name, value in Replica("", 0, 0, 0, 0, Definition("", "", TriggerSpec(()))).json().items()
    if name not in _ALWAYS
}


def row_of(document: Json) -> bytes:
    """A replica's document as canonical JSON: names in order, and what is usual is left out.

    A hundred thousand of these are held and read by whoever leads.
    """
    told = {
        name: value
        for name, value in document.items()
        if name not in _USUAL or value != _USUAL[name]
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


_ID = read.text(36)
_GENERATION = read.whole(0, (1 << 32) - 1)
_REVISION = read.whole(0, (1 << 63) - 1)
_INSTANT = read.whole(-(1 << 53), 1 << 53)
_decoded = json.JSONDecoder().decode


def decoded(data: bytes) -> Any:
    """What the bytes of a replica say.

    Raises:
        ScheduleInvalid: they are no JSON
    """
    try:
        return _decoded(data.decode())
    except (ValueError, RecursionError) as error:
        raise bounds("it is no JSON", "send the canonical form") from error


def read_replica(data: bytes) -> Replica:
    """A replica from its bytes.

    Raises:
        ScheduleInvalid: with the pointer of the field that is wrong
    """
    return replica_of(decoded(data))


def replica_of(value: Any, trigger: TriggerSpec | None = None) -> Replica:
    """A replica from what its bytes say; `trigger` where the part of it was read before.

    Raises:
        ScheduleInvalid: with the pointer of the field that is wrong
    """
    fields = Fields(value, "a schedule")
    found = Replica(
        id=fields.take("id", _ID),
        generation=fields.take("generation", _GENERATION),
        revision=fields.take("revision", _REVISION),
        created_ms=fields.take("created_ms", _INSTANT),
        effective_ms=fields.take("effective_ms", _INSTANT),
        definition=Definition.read(fields, trigger, _DECODED),
        **fields.given(_STANDING),
    )
    fields.done()
    return found


def _days_off(value: Any) -> dict[str, DaysOff]:
    fields = Fields(value, "days off")
    return {str(name): fields.take(str(name), read_days_off) for name in value}


_STANDING: Mapping[str, Callable[[Any], Any]] = {
    "not_before_ms": _INSTANT,
    "enabled": read.flag,
    "paused": read.flag,
    "paused_until_ms": _INSTANT,
    "days_off": _days_off,
}
