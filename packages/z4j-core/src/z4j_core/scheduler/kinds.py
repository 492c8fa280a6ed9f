"""The kinds of timing rules as data. The rule: a spec that exists is valid, and says all it means.

Each kind reads itself from a document and writes itself back; what was left out is written with
the value it had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from . import read
from .cron import MAX_TEXT, parse
from .dialects import dialect
from .moments import Json, When, every_of, period_ms, zone_key
from .read import Fields, bounds
from .rrule import MAX_TEXT as MAX_RULE
from .rrule import Rrule
from .solar import EVENTS
from .walls import DST, Dst, dst_json, dst_of

_DAY_S = 86_400
_UNITS = ("years", "months", "weeks", "days")


@dataclass(frozen=True, slots=True)
class CronSpec:
    """A cron text in its dialect."""

    kind: ClassVar[str] = "cron"
    expr: str
    dialect: str = "cron"
    tz: str = "UTC"
    dst: Dst = DST["cron"]

    @classmethod
    def read(cls, fields: Fields) -> CronSpec:
        tag = fields.take("dialect", lambda value: dialect(read.text(40)(value)).tag, "cron")

        def expr(value: Any) -> str:
            said = read.text(MAX_TEXT)(value)
            if every_of(said, tag) is None:
                parse(said, tag)
            return said

        return cls(
            fields.take("expr", expr),
            tag,
            fields.take("tz", zone_key, "UTC"),
            fields.take("dst", dst_of, dialect(tag).dst),
        )

    def json(self) -> Json:
        return {
            "kind": self.kind,
            "expr": self.expr,
            "dialect": self.dialect,
            "tz": self.tz,
            "dst": dst_json(self.dst),
        }


def _anchor(value: Any) -> str | int:
    return value if value in ("created", "epoch") else read.instant_ms(value)


@dataclass(frozen=True, slots=True)
class IntervalSpec:
    """A period of absolute time; `anchor` is an instant, `epoch` or `created`."""

    kind: ClassVar[str] = "interval"
    every_ms: int
    anchor: str | int = "created"
    phase_ms: int = 0
    mode: str = "fixed_rate"

    @classmethod
    def read(cls, fields: Fields) -> IntervalSpec:
        return cls(
            fields.take("every", period_ms),
            fields.take("anchor", _anchor, "created"),
            fields.take("phase_s", lambda value: round(read.number(0, 3.2e8)(value) * 1000), 0),
            fields.take("mode", read.choice("fixed_rate", "fixed_delay"), "fixed_rate"),
        )

    def json(self) -> Json:
        anchor = self.anchor if isinstance(self.anchor, str) else read.instant_text(self.anchor)
        return {
            "kind": self.kind,
            "every": read.seconds(self.every_ms),
            "anchor": anchor,
            "phase_s": read.seconds(self.phase_ms),
            "mode": self.mode,
        }


def _every_unit(value: Any) -> tuple[str, int]:
    fields = Fields(value, "every")
    given = [(u, n) for u in _UNITS if (n := fields.take(u, read.whole(1, 1000), 0))]
    fields.done()
    if len(given) != 1:
        raise bounds("not exactly one unit", 'write for example {"months": 1}')
    return given[0]


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """Every n years, months, weeks or days by the wall, counted from an anchor."""

    kind: ClassVar[str] = "calendar"
    unit: str
    count: int
    anchor: datetime
    tz: str = "UTC"
    dst: Dst = DST["cron"]
    month_end: str = "clamp"

    @classmethod
    def read(cls, fields: Fields) -> CalendarSpec:
        unit, count = fields.take("every", _every_unit)
        return cls(
            unit,
            count,
            fields.take("anchor", read.local_time),
            fields.take("tz", zone_key, "UTC"),
            fields.take("dst", dst_of, DST["cron"]),
            fields.take("month_end", read.choice("clamp", "skip"), "clamp"),
        )

    def json(self) -> Json:
        return {
            "kind": self.kind,
            "every": {self.unit: self.count},
            "anchor": self.anchor.isoformat(),
            "tz": self.tz,
            "dst": dst_json(self.dst),
            "month_end": self.month_end,
        }


@dataclass(frozen=True, slots=True)
class OnceSpec:
    """A single time."""

    kind: ClassVar[str] = "once"
    at: When
    delete_after: bool = False

    @classmethod
    def read(cls, fields: Fields) -> OnceSpec:
        tz = fields.take("tz", zone_key, None)
        fold = fields.take("fold", read.whole(0, 1), 0)

        def at(value: Any) -> When:
            if read.moment(value).tzinfo is not None:
                return When(read.instant_ms(value))
            if tz is None:
                raise bounds("a wall time without tz", "add tz, or write the offset: …Z")
            return When(None, read.local_time(value), tz, fold)

        return cls(fields.take("at", at), fields.take("delete_after", read.flag, default=False))

    def json(self) -> Json:
        at = self.at.json()
        said = {"at": at} if isinstance(at, str) else {"at": at.pop("local"), **at}
        return {"kind": self.kind, **said, "delete_after": self.delete_after}


@dataclass(frozen=True, slots=True)
class SolarSpec:
    """An event of the sun at a place."""

    kind: ClassVar[str] = "solar"
    event: str
    lat: float
    lon: float
    offset_s: int = 0
    on_no_event: str = "skip"

    @classmethod
    def read(cls, fields: Fields) -> SolarSpec:
        return cls(
            fields.take("event", read.choice(*EVENTS)),
            fields.take("lat", read.number(-90, 90)),
            fields.take("lon", read.number(-180, 180)),
            fields.take("offset_s", read.whole(-_DAY_S, _DAY_S), 0),
            fields.take("on_no_event", read.choice("skip", "noon"), "skip"),
        )

    def json(self) -> Json:
        return {
            "kind": self.kind,
            "event": self.event,
            "lat": self.lat,
            "lon": self.lon,
            "offset_s": self.offset_s,
            "on_no_event": self.on_no_event,
        }


@dataclass(frozen=True, slots=True)
class RruleSpec:
    """A rule of RFC 5545 with its DTSTART."""

    kind: ClassVar[str] = "rrule"
    text: str
    dst: Dst = DST["cron"]

    @classmethod
    def read(cls, fields: Fields) -> RruleSpec:
        def text(value: Any) -> str:
            said = read.text(MAX_RULE)(value)
            Rrule(said)
            return said

        return cls(fields.take("text", text), fields.take("dst", dst_of, DST["cron"]))

    def json(self) -> Json:
        return {"kind": self.kind, "text": self.text, "dst": dst_json(self.dst)}


@dataclass(frozen=True, slots=True)
class OnStartSpec:
    """Once for each release that the leader sees first; it has no slots of time."""

    kind: ClassVar[str] = "on_start"

    @classmethod
    def read(cls, _: Fields) -> OnStartSpec:
        return cls()

    def json(self) -> Json:
        return {"kind": self.kind}


@dataclass(frozen=True, slots=True)
class CustomSpec:
    """A rule in code that nobody can read: shown, never computed."""

    kind: ClassVar[str] = "custom"
    shown: str = ""

    @classmethod
    def read(cls, fields: Fields) -> CustomSpec:
        return cls(fields.take("shown", read.text(2000), ""))

    def json(self) -> Json:
        return {"kind": self.kind, "shown": self.shown}


Spec: TypeAlias = (
    CronSpec
    | IntervalSpec
    | CalendarSpec
    | OnceSpec
    | SolarSpec
    | RruleSpec
    | OnStartSpec
    | CustomSpec
)
KINDS: Mapping[str, Callable[[Fields], Spec]] = {
    "cron": CronSpec.read,
    "interval": IntervalSpec.read,
    "calendar": CalendarSpec.read,
    "once": OnceSpec.read,
    "solar": SolarSpec.read,
    "rrule": RruleSpec.read,
    "on_start": OnStartSpec.read,
    "custom": CustomSpec.read,
}


def read_spec(value: Any) -> Spec:
    """One spec from its document.

    Raises:
        ScheduleInvalid: with the pointer of the field that is wrong
    """
    fields = Fields(value, "a spec")
    found = KINDS[fields.take("kind", read.choice(*KINDS))](fields)
    fields.done()
    return found
