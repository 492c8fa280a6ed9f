"""`calendars list|show|set|delete`. The rule: a set replaces the whole calendar."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ...scheduler.document import days_off_json, read_days_off
from ..remote import USAGE, Failure
from ..words import plain, table
from .finding import calendar
from .main import Ask

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def _calendars(ask: Ask, options: argparse.Namespace) -> int:
    if options.act == "list":
        return _list(ask, options)
    if not options.name:
        raise Failure(USAGE, f"calendars {options.act} needs a name")
    path = calendar(options.name)
    if options.act == "set":
        body = _body(options)
        row, _ = ask().send("PUT", path, body)
    elif options.act == "delete":
        row, _ = ask().send("DELETE", path)
    else:
        row = ask().get(path)
    if options.json:
        print(json.dumps(row))
    elif options.act == "show":
        print(_text(row))
    else:
        print(plain(f"{options.name}: {'deleted' if options.act == 'delete' else 'set'}"))
    return 0


def _list(ask: Ask, options: argparse.Namespace) -> int:
    rows = ask().get("calendars")["items"]
    if options.json:
        for row in rows:
            print(json.dumps(row))
    elif rows:
        print("\n".join(table([[plain(row["name"]), *_summary(row)] for row in rows])))
    return 0


def _summary(row: dict[str, Any]) -> list[str]:
    return [f"{len(row['dates'])} dates", _weekend(row)]


def _weekend(row: dict[str, Any]) -> str:
    return ",".join(_DAYS[day] for day in row["weekend"]) or "no weekend"


def _text(row: dict[str, Any]) -> str:
    return "\n".join([f"weekend {_weekend(row)}", *map(plain, row["dates"])])


def _body(options: argparse.Namespace) -> dict[str, Any]:
    weekend = [_day(name) for name in options.weekend.lower().split(",") if name]
    files = [Path(word) for word in options.dates if word.lower().endswith(".ics")]
    if not files:
        days = read_days_off({"dates": options.dates, "weekend": weekend})
        return days_off_json(days)
    if len(options.dates) > 1:
        raise Failure(USAGE, "one .ics file, or dates")
    try:
        text = files[0].read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(USAGE, f"cannot read {files[0]}: {error}") from error
    return {"ics": text, "dates": [], "weekend": weekend}


def _day(name: str) -> int:
    if name not in _DAYS:
        raise Failure(USAGE, f"no day {name!r}: write {','.join(_DAYS)}")
    return _DAYS.index(name)


VERBS = {"calendars": _calendars}
