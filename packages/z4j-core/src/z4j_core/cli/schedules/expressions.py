"""`next` and `explain`. The rule: an expression needs no brain, and a wrong one is not a name."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from ...clock import SystemClock
from ...errors import ScheduleInvalid
from ...scheduler.build import Context, build, zone_of
from ...scheduler.canonical import canonical
from ...scheduler.document import read_days_off
from ...scheduler.kinds import CronSpec
from ...scheduler.read import duration_ms, instant_ms
from ...scheduler.slots import Slot
from ...scheduler.spec import TriggerSpec, read_trigger
from ...scheduler.zone import Zone, zone
from ..remote import USAGE, Failure
from ..words import plain, table
from .finding import calendar, found
from .main import Ask

MOST = 10_000
_RULE = re.compile(r"DTSTART|RRULE", re.IGNORECASE)
_FEWEST_COLUMNS = 5
_NOTES = {
    "gap": "the clock skips its time", "fold2": "the clock repeats its time",
    "calendar": "moved to a business day", "polar": "noon of a day without the event",
}  # fmt: skip


class Asked(NamedTuple):
    """A trigger, what it is built for, and the zone to show it in besides its own."""

    spec: TriggerSpec
    context: Context
    shown_in: str


def _next(ask: Ask, options: argparse.Namespace) -> int:
    asked = _asked(ask, options)
    rows = list(slots(asked, options))
    if options.json:
        for row in rows:
            print(json.dumps(row))
    elif rows:
        print("\n".join(table([_cells(row) for row in rows])))
    else:
        print("never again")
    return 0


def _explain(ask: Ask, options: argparse.Namespace) -> int:
    asked = _asked(ask, options)
    trigger = build(asked.spec, asked.context)
    rows = list(slots(asked, options))
    same = _in_cron(asked.spec)
    if options.json:
        print(json.dumps({"words": trigger.explain(), "cron": same, "next": rows}))
        return 0
    print(plain(trigger.explain()))
    if same is not None:
        print(f"as cron: {same}")
    for line in table([_cells(row) for row in rows]) if rows else ["never again"]:
        print(f"  {line}")
    return 0


def slots(asked: Asked, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The next slots, each with what the clocks of both zones do on the way to it."""
    if not 1 <= options.n <= MOST:
        raise Failure(USAGE, f"-n is 1 to {MOST}")
    after_ms = instant_ms(options.after) if options.after else SystemClock().wall_us() // 1000
    home, there = _home(asked.spec), zone(asked.shown_in)
    before_ms = after_ms
    for slot in islice(_following(asked, after_ms), options.n):
        yield {
            "slot_ms": slot.at_ms,
            "local": _wall(slot.at_ms, home),
            "tz": home.key,
            "shown": _wall(slot.at_ms, there),
            "shown_tz": there.key,
            "fold": slot.fold,
            "note": slot.note,
            "clocks": [
                f"clocks go {'forward' if change > 0 else 'back'} in {_place(each.key)}"
                for each in {home.key: home, there.key: there}.values()
                if (change := _moved(each, before_ms, slot.at_ms))
            ],
        }  # fmt: skip
        before_ms = slot.at_ms


def _following(asked: Asked, after_ms: int) -> Iterator[Slot]:
    trigger = build(asked.spec, asked.context)
    slot = trigger.next(after_ms)
    while slot is not None:
        yield slot
        slot = trigger.next(slot.at_ms)


def _asked(ask: Ask, options: argparse.Namespace) -> Asked:
    spec = None if options.dialect else _duration_or_rule(options.what)
    if spec is None and (options.dialect or _is_cron(options.what)):
        spec = {"kind": "cron", "expr": options.what, "tz": options.tz or "UTC"}
        spec |= {"dialect": options.dialect} if options.dialect else {}
    if spec is None:
        return _of_schedule(ask, options)
    try:
        context = Context(created_ms=SystemClock().wall_us() // 1000)
        return Asked(read_trigger({"specs": [spec]}), context, options.tz or "UTC")
    except ScheduleInvalid as error:
        where = error.pointer.removeprefix("/specs/0")
        raise ScheduleInvalid(
            error.code, error.text, hint=error.hint, pointer=where, column=error.column
        ) from error


def _is_cron(text: str) -> bool:
    return text.startswith("@") or len(text.split()) >= _FEWEST_COLUMNS


def _duration_or_rule(text: str) -> dict[str, Any] | None:
    if _RULE.match(text):
        return {"kind": "rrule", "text": text.replace("\\n", "\n")}
    try:
        duration_ms(text)
    except ScheduleInvalid:
        return None
    return {"kind": "interval", "every": text}


def _of_schedule(ask: Ask, options: argparse.Namespace) -> Asked:
    remote = ask()
    row = found(remote, options.what)
    names = TriggerSpec(()).json()
    spec = read_trigger({name: row[name] for name in names if name in row})
    days = {
        each.ref: read_days_off(_days(remote.get(calendar(each.ref)))) for each in spec.calendars
    }
    context = Context(row["id"], row["created"], days)
    return Asked(spec, context, options.tz or "UTC")


def _days(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name, []) for name in ("dates", "weekend")}


def _home(spec: TriggerSpec) -> Zone:
    """The zone whose walls the slots of a trigger are told in: that of its specs, if one."""
    zones = {zone_of(each).key for each in spec.specs}
    return zone(zones.pop() if len(zones) == 1 else "UTC")


def _in_cron(spec: TriggerSpec) -> str | None:
    """A text of another dialect as one of cron; None where it is one, or has none."""
    first = spec.specs[0]
    if not isinstance(first, CronSpec) or first.dialect == "cron" or len(spec.specs) > 1:
        return None
    try:
        return canonical(first.expr, first.dialect)
    except ScheduleInvalid:
        return None


def _cells(row: dict[str, Any]) -> list[str]:
    seconds = row["slot_ms"] % 60_000
    home = _short(row["local"], seconds=bool(seconds))
    same = row["tz"] == row["shown_tz"]
    away = "" if same else f"{_short(row['shown'], seconds=bool(seconds))} {row['shown_tz']}"
    if away.startswith(home[:10]):
        away = away[11:]
    notes = [_NOTES[row["note"]]] if row["note"] else []
    return [f"{home} {row['tz']}", away, ", ".join([*notes, *row["clocks"]])]


def _short(local: str, *, seconds: bool) -> str:
    text = local.replace("T", " ")
    return text if seconds else text[: len("2026-01-31 09:00")]


def _wall(at_ms: int, there: Zone) -> str:
    at_s = at_ms // 1000
    at = datetime.fromtimestamp(at_s, UTC) + timedelta(seconds=there.offset(at_s))
    return at.replace(tzinfo=None).isoformat()


def _moved(where: Zone, before_ms: int, at_ms: int) -> int:
    return where.offset(at_ms // 1000) - where.offset(before_ms // 1000)


def _place(key: str) -> str:
    return key.rpartition("/")[2].replace("_", " ")


VERBS = {"next": _next, "explain": _explain}
