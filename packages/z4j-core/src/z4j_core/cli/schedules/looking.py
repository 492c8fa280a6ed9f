"""`list`, `show`, `history`, `groups`. The rule: what is not known is shown as unknown."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from typing import Any

from ...clock import SystemClock
from ...errors import ScheduleInvalid
from ...scheduler.declare import entry_of
from ...scheduler.read import instant_text
from ...scheduler.sugar import sugar_of
from ..words import plain, span, table
from .finding import Row, below, found, pages
from .main import Ask

_QUIET: tuple[Any, ...] = ("", None, [], {}, False)


def _list(ask: Ask, options: argparse.Namespace) -> int:
    now_ms = SystemClock().wall_us() // 1000
    rows = pages(ask(), "schedules", options.limit, q=options.query or None)
    _print(rows, options, lambda row: _cells(row, now_ms))
    return 0


def _cells(row: Row, now_ms: int) -> list[str]:
    return [
        plain(row["name"], 40), plain(row["engine"], 12), state_of(row), _when(row, 48),
        ahead(row.get("next_due_ms"), now_ms), plain(row.get("last_result") or "—", 24),
        plain(row["task"], 60),
    ]  # fmt: skip


def state_of(row: Row) -> str:
    """One word for where a schedule stands."""
    if not row["enabled"]:
        return "disabled"
    if row["paused"]:
        return "paused"
    return "drifted" if row.get("drift") else "on"


def _when(row: Row, limit: int) -> str:
    """The timing in the shortest form that people write."""
    try:
        sugar = sugar_of(entry_of(row).definition.trigger.specs)
    except ScheduleInvalid:
        return plain(row["words"], limit)
    kind, value = next(iter(sugar.items()))
    if kind == "cron" and isinstance(value, str):
        return plain(" ".join([value, sugar.get("tz", "")]).rstrip(), limit)
    return plain(row["words"], limit)


def ahead(at_ms: int | None, now_ms: int) -> str:
    """How long until an instant."""
    if at_ms is None:
        return "—"
    away = (at_ms - now_ms) * 1000
    return f"in {span(away)}" if away >= 0 else f"{span(-away)} late"


def _show(ask: Ask, options: argparse.Namespace) -> int:
    remote = ask()
    row = found(remote, options.schedule)
    print(json.dumps(row) if options.json else _text(row))
    return 0


def _text(row: Row) -> str:
    facts: list[tuple[str, Any]] = [
        ("name", row["name"]), ("id", row["id"]), ("state", state_of(row)),
        ("when", row["words"]), ("next", _instant(row.get("next_due_ms"))),
        ("last", _last(row)), ("task", row["task"]), ("args", row["args"]),
        ("kwargs", row["kwargs"]), ("queue", row["queue"]), ("options", row["options"]),
        ("engine", f"{row['engine']} {row['app']}"), ("owner", row["owner"]),
        ("revision", row["revision"]), ("fires", row.get("fires_total")),
        ("failing", row.get("consecutive_failures")), ("overlap", row["overlap"]),
        ("catch-up", row["catchup"]), ("paused", _paused(row)), ("about", row["description"]),
    ]  # fmt: skip
    said = [f"{name:<9} {plain(_said(value))}" for name, value in facts if value not in _QUIET]
    drift = [f"drift     {plain(_drift(each))}" for each in row.get("drift") or ()]
    return "\n".join([*said, *drift])


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _drift(each: Row) -> str:
    return f"{each['field']}: declared {_said(each['declared'])}, now {_said(each['now'])}"


def _instant(at_ms: int | None) -> str:
    return "never again" if at_ms is None else instant_text(at_ms)


def _last(row: Row) -> str:
    if row.get("last_slot_ms") is None:
        return ""
    return f"{instant_text(row['last_slot_ms'])} {row.get('last_result') or ''}".rstrip()


def _paused(row: Row) -> str:
    paused = row["paused"]
    if not paused:
        return ""
    parts = [f"by {paused['by']}"] if paused.get("by") else []
    parts += [paused["note"]] if paused.get("note") else []
    return ", ".join(parts) or "yes"


def _history(ask: Ask, options: argparse.Namespace) -> int:
    remote = ask()
    path = below(found(remote, options.schedule), "fires") if options.schedule else "fires"
    rows = pages(remote, path, options.limit, status=options.status, trigger=options.trigger)
    _print(rows, options, _fire)
    return 0


def _fire(row: Row) -> list[str]:
    task = row.get("task") or {}
    lag = row.get("lag_ms")
    many = f"{row['count']} times" if (row.get("count") or 1) > 1 else ""
    return [
        plain(row["slot_local"] or instant_text(row["slot_ms"])),
        *([plain(row["schedule_name"], 40)] if "schedule_name" in row else []),
        " ".join(filter(None, (plain(row["status"]), many))), plain(row["trigger"]),
        "" if lag is None else span(lag * 1000), plain(task.get("state") or ""),
        plain(row.get("reason") or "", 60), plain(row["fire_id"]),
    ]  # fmt: skip


def _groups(ask: Ask, options: argparse.Namespace) -> int:
    _print(ask().get("schedules/groups")["items"], options, _group)
    return 0


def _group(row: Row) -> list[str]:
    leader, candidates = row.get("leader"), row.get("candidates") or ()
    where = f"{leader.get('host')} {leader.get('pid')}" if leader else "nobody leads"
    behind = sum(each.get("revision") != row["revision"] for each in candidates)
    return [
        plain(row["engine"]), plain(row["app"]), f"revision {row['revision']}",
        plain(row.get("store") or "no store"), plain(where),
        f"{len(candidates)} could" + (f", {behind} behind" if behind else ""),
        plain(row.get("why") or ""),
    ]  # fmt: skip


def _print(
    rows: Iterable[Row], options: argparse.Namespace, cells: Callable[[Row], list[str]]
) -> None:
    if options.json:
        for row in rows:
            print(json.dumps(row))
    elif told := [cells(row) for row in rows]:
        print("\n".join(table(told)))


VERBS = {"list": _list, "show": _show, "history": _history, "groups": _groups}
