"""A trigger as a document. The rule: one function reads it, from whatever side it comes.

REST, declarative files and imports pass through `read_trigger`; `trigger_json` writes what was
read in one canonical form, so that equal triggers are equal texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ScheduleInvalid
from . import read
from .kinds import CronSpec, Spec, read_spec
from .moments import Json, When, every_of
from .read import Fields, bounds

MAX_SPECS = 16
MAX_CALENDARS = 8
MAX_BLACKOUTS = 16
_DAY_S = 86_400
_YEAR_S = 366 * _DAY_S


@dataclass(frozen=True, slots=True)
class CalendarRef:
    """A named calendar, and what becomes of a slot on one of its days off."""

    ref: str
    on_hit: str = "skip"

    @classmethod
    def read(cls, value: Any) -> CalendarRef:
        fields = Fields(value, "a calendar")
        on_hit = read.choice("skip", "next_business_day", "previous_business_day")
        found = cls(fields.take("ref", read.text(200)), fields.take("on_hit", on_hit, "skip"))
        fields.done()
        return found

    def json(self) -> Json:
        return {"ref": self.ref, "on_hit": self.on_hit}


@dataclass(frozen=True, slots=True)
class BlackoutSpec:
    """A window: from `start` to `end`, or `duration_s` long behind each slot of a cron text."""

    action: str
    start: When | None = None
    end: When | None = None
    cron: CronSpec | None = None
    duration_s: int = 0

    @classmethod
    def read(cls, value: Any) -> BlackoutSpec:
        fields = Fields(value, "a blackout")
        action = fields.take("action", read.choice("skip", "defer"), "skip")
        if isinstance(value, Mapping) and "cron" in value:
            cron = fields.take("cron", read.text(256))
            tz = fields.take("tz", read.text(64), "UTC")
            spec = _blackout_cron(cron, tz)
            found = cls(action, None, None, spec, fields.take("duration_s", read.whole(1, _YEAR_S)))
        else:
            found = cls(action, fields.take("start", When.read), fields.take("end", When.read))
        fields.done()
        return found

    def json(self) -> Json:
        if self.cron is not None:
            return {
                "cron": self.cron.expr,
                "tz": self.cron.tz,
                "duration_s": self.duration_s,
                "action": self.action,
            }
        assert self.start is not None
        assert self.end is not None
        return {"start": self.start.json(), "end": self.end.json(), "action": self.action}


def _blackout_cron(cron: str, tz: str) -> CronSpec:
    if every_of(cron, "cron") is not None:
        raise bounds("@every opens no window", "write five columns", "/cron")
    try:
        spec = read_spec({"kind": "cron", "expr": cron, "tz": tz})
    except ScheduleInvalid as error:
        field = "/tz" if error.pointer == "/tz" else "/cron"
        raise ScheduleInvalid(
            error.code, error.text, hint=error.hint, pointer=field, column=error.column
        ) from error
    assert isinstance(spec, CronSpec)
    return spec


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "exclude": read.many(read_spec, 0, MAX_SPECS),
    "calendars": read.many(CalendarRef.read, 0, MAX_CALENDARS),
    "blackouts": read.many(BlackoutSpec.read, 0, MAX_BLACKOUTS),
    "start_at": When.read,
    "end_at": When.read,
    "max_fires": read.whole(1, (1 << 53) - 1),
    "jitter_s": read.whole(0, _DAY_S),
    "jitter_mode": read.choice("slot", "fixed"),
}
TRIGGER_FIELDS = ("specs", *_READERS)
"""What decides slots, by the names it has in a document."""


@dataclass(frozen=True, slots=True)
class TriggerSpec:
    """Everything that decides slots: when one of these changes, the generation rises."""

    specs: tuple[Spec, ...]
    exclude: tuple[Spec, ...] = ()
    calendars: tuple[CalendarRef, ...] = ()
    blackouts: tuple[BlackoutSpec, ...] = ()
    start_at: When | None = None
    end_at: When | None = None
    max_fires: int | None = None
    jitter_s: int = 0
    jitter_mode: str = "slot"

    @classmethod
    def read(cls, fields: Fields) -> TriggerSpec:
        specs = fields.take("specs", read.many(read_spec, 1, MAX_SPECS))
        found = cls(specs, **fields.given(_READERS))
        for place, spec in enumerate(found.exclude):
            if spec.kind in ("on_start", "custom"):
                raise bounds(
                    f"{spec.kind} excludes nothing", "take it out", f"/exclude/{place}/kind"
                )
        return found

    def json(self) -> Json:
        return {
            "specs": [spec.json() for spec in self.specs],
            "exclude": [spec.json() for spec in self.exclude],
            "calendars": [calendar.json() for calendar in self.calendars],
            "blackouts": [blackout.json() for blackout in self.blackouts],
            "start_at": None if self.start_at is None else self.start_at.json(),
            "end_at": None if self.end_at is None else self.end_at.json(),
            "max_fires": self.max_fires,
            "jitter_s": self.jitter_s,
            "jitter_mode": self.jitter_mode,
        }


def read_trigger(value: Any) -> TriggerSpec:
    """A trigger from its document.

    Raises:
        ScheduleInvalid: with the pointer of the field that is wrong
    """
    fields = Fields(value, "a trigger")
    found = TriggerSpec.read(fields)
    fields.done()
    return found


def trigger_json(trigger: TriggerSpec) -> str:
    """The canonical text of a trigger: sorted names, no spaces, every default written out."""
    return json.dumps(trigger.json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
