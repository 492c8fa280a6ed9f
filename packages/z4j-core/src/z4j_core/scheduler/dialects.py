"""What each system means by a cron text. The rule: a text has no meaning without its dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..errors import ScheduleInvalid
from .walls import DST, Dst

MINUTES = ("minute", "hour", "dom", "month", "dow")
BOUNDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "second": (0, 59),
        "minute": (0, 59),
        "hour": (0, 23),
        "dom": (1, 31),
        "month": (1, 12),
        "dow": (0, 6),
        "year": (1970, 2099),
    }
)
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "second": "second",
        "minute": "minute",
        "hour": "hour",
        "dom": "day of the month",
        "month": "month",
        "dow": "day of the week",
        "year": "year",
    }
)
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
        "@monthly": "0 0 1 * *",
        "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@hourly": "0 * * * *",
    }
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to read a cron text.

    `both` says when day of month and day of week must both hold: `and` always, `star` when either
    text starts with a star, `is_star` when either is one, `bare` when either has one among its
    items, `holds_star` when either text has one anywhere, `question` when one of them is `?`.
    `shift` is added to a written day of the week to count from Sunday. `steps` is how a step is
    checked. `marks` are the letters beyond the common grammar.
    """

    tag: str
    dst: Dst
    both: str
    layouts: tuple[tuple[str, ...], ...] = (MINUTES,)
    shift: int = 0
    seven: bool = False
    names: frozenset[str] = frozenset({"month", "dow"})
    long_names: bool = False
    wrap: bool = False
    open_steps: bool = True
    weekday_steps: bool = True
    steps: str = "any"
    marks: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()
    silent: bool = False
    """What it cannot read matches nothing instead of being refused."""


def _marks(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALL_NAMES = frozenset(ALIASES)
_SECONDS_FIRST = ("second", *MINUTES)
_QUARTZ = ("second", "minute", "hour", "dom", "month", "dow")
_EVENTBRIDGE = (*MINUTES, "year")

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.tag: dialect
        for dialect in (
            Dialect(
                "cron",
                dst=DST["cron"],
                both="star",
                layouts=(MINUTES, _SECONDS_FIRST),
                seven=True,
                wrap=True,
                marks=_marks("L L-n LW nW nL n#k ? H"),
                aliases=_ALL_NAMES | {"@every"},
            ),
            Dialect(
                "crontab",
                dst=DST["cron"],
                both="star",
                seven=True,
                open_steps=False,
                aliases=_ALL_NAMES,
            ),
            Dialect(
                "celery",
                dst=DST["first"],
                both="and",
                long_names=True,
                wrap=True,
                open_steps=False,
            ),
            Dialect(
                "croniter",
                dst=DST["both"],
                both="is_star",
                layouts=(MINUTES, (*MINUTES, "second"), (*MINUTES, "second", "year")),
                seven=True,
                wrap=True,
                steps="croniter",
                marks=_marks("L Ln nW n#k ?"),
                aliases=_ALL_NAMES,
            ),
            Dialect(
                "parse_crontab",
                dst=DST["first"],
                both="and",
                layouts=(MINUTES, (*MINUTES, "year"), (*_SECONDS_FIRST, "year")),
                seven=True,
                steps="reach",
                marks=_marks("L Ln ?"),
                aliases=_ALL_NAMES - {"@midnight"},
            ),
            Dialect(
                "apscheduler3",
                dst=Dst("shift", "both", "both"),
                both="and",
                shift=1,
                steps="within",
            ),
            Dialect(
                "huey",
                dst=DST["literal"],
                both="and",
                seven=True,
                names=frozenset(),
                wrap=True,
                open_steps=False,
                weekday_steps=False,
            ),
            Dialect("arq", dst=DST["first"], both="and", layouts=(), shift=1),
            Dialect(
                "pycron",
                dst=DST["literal"],
                both="holds_star",
                names=frozenset({"dow"}),
                long_names=True,
                open_steps=False,
                silent=True,
            ),
            Dialect(
                "robfig",
                dst=DST["literal"],
                both="bare",
                marks=_marks("?"),
                aliases=_ALL_NAMES | {"@every"},
            ),
            Dialect(
                "quartz",
                dst=DST["literal"],
                both="question",
                layouts=(_QUARTZ, (*_QUARTZ, "year")),
                shift=-1,
                wrap=True,
                marks=_marks("L L-n LW nW nL n#k ?"),
            ),
            Dialect(
                "eventbridge",
                dst=DST["skip"],
                both="question",
                layouts=(_EVENTBRIDGE,),
                shift=-1,
                marks=_marks("L LW nW nL n#k ?"),
            ),
        )
    }
)


def dialect(tag: str) -> Dialect:
    """A dialect by its tag.

    Raises:
        ScheduleInvalid: schedule.dialect
    """
    if tag not in DIALECTS:
        raise ScheduleInvalid(
            "schedule.dialect",
            f"no dialect {tag[:40]!r}",
            hint=f"use one of {', '.join(DIALECTS)}",
            pointer="/dialect",
        )
    return DIALECTS[tag]
