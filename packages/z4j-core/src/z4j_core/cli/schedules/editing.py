"""`add` and `edit`: FIELD=VALUE as in a file. The rule: what was not named stays as it was."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from ...errors import ScheduleInvalid
from ...scheduler.declare import Declared, Entry, entry_of, read_declared, written
from ...scheduler.sugar import SUGAR
from ..remote import FAILED, USAGE, Failure, Remote
from ..words import plain
from .finding import Row, below, found
from .main import Ask

_TEXTS = frozenset(
    {"task", "queue", "description", "engine", "app", "tz", "dialect", "cron", "rrule", "once"}
)
"""Fields whose value is a text even where it looks like something else."""


def _add(ask: Ask, options: argparse.Namespace) -> int:
    entry = _read(options.name, fields_of(options.fields))
    remote = ask()
    engine, app = (entry.engine, entry.app) if entry.engine and entry.app else _only(remote, entry)
    body = {**entry.document(), "engine": engine, "app": app}
    row = remote.post("schedules", body)
    _told(row, options, f"made {row['name']} ({row['id']})")
    return 0


def _edit(ask: Ask, options: argparse.Namespace) -> int:
    given = fields_of(options.fields)
    remote = ask()
    row = found(remote, options.schedule)
    name = str(given.pop("name", None) or row["name"])
    before = entry_of(row)
    after = _read(name, _merged(before, given))
    old, new = before.definition.json(), after.definition.json()
    changes: dict[str, Any] = {field: new[field] for field in new if new[field] != old[field]}
    if after.enabled is not None and after.enabled != row["enabled"]:
        changes["enabled"] = after.enabled
    if not changes:
        _told(row, options, "nothing changes")
        return 0
    fresh, _ = remote.send("PATCH", below(row), changes, {"If_Match": f'"{row["revision"]}"'})
    _told(fresh, options, f"changed {', '.join(sorted(changes))}")
    return 0


def fields_of(words: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE, where a value is JSON if it reads as such and the field is no text.

    Raises:
        Failure: 2, a word without =, or a field named twice
    """
    given: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise Failure(USAGE, f"{word!r} is not FIELD=VALUE")
        if name in given:
            raise Failure(USAGE, f"{name} is given twice")
        given[name] = _value(name, text)
    return given


def _value(name: str, text: str) -> Any:
    if text in ("null", ""):
        return None
    if name in _TEXTS and not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _merged(before: Entry, given: dict[str, Any]) -> dict[str, Any]:
    """The short form of a schedule with fields changed; a new timing rule replaces the old."""
    name = before.definition.name
    old = written(Declared("", {name: before}))["schedules"][name]
    timed = [field for field in given if field in (*SUGAR, "specs")]
    if timed:
        kept = () if timed[0] not in old else ("tz", "dialect", "dst")
        dropped = {*SUGAR, "specs", "tz", "dialect", "dst"} - {*kept}
        old = {field: value for field, value in old.items() if field not in dropped}
    return {field: value for field, value in {**old, **given}.items() if value is not None}


def _read(name: str, fields: dict[str, Any]) -> Entry:
    reading = read_declared({"schedules": {name: fields}})
    if reading.faults:
        raise _unprefixed(reading.faults[0])
    return reading.declared.entries[name]


def _unprefixed(error: ScheduleInvalid) -> ScheduleInvalid:
    """The field of the one schedule there is, without the way to it."""
    field = "/".join(error.pointer.split("/")[3:])
    return ScheduleInvalid(
        error.code, error.text, hint=error.hint, pointer=field, column=error.column
    )


def _only(remote: Remote, entry: Entry) -> tuple[str, str]:
    """The one group there is, where the fields name none."""
    groups = [
        (str(each["engine"]), str(each["app"]))
        for each in remote.get("schedules/groups")["items"]
        if entry.engine in (None, each["engine"]) and entry.app in (None, each["app"])
    ]
    if len(groups) == 1:
        return groups[0]
    known = ", ".join(f"engine={engine} app={app}" for engine, app in groups) or "none known"
    raise Failure(USAGE if groups else FAILED, f"say engine= and app=; there are: {known}")


def _told(row: Row, options: argparse.Namespace, text: str) -> None:
    if options.json:
        print(json.dumps(row))
        return
    print(plain(text))
    print(plain(row["words"]))
    for warning in row.get("warnings") or ():
        print(f"warning: {plain(warning['text'])}")


VERBS = {"add": _add, "edit": _edit}
