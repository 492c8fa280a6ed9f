"""`pause`, `resume`, `fire`, `backfill`, `replay`. The rule: many fires are counted before one."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from ...clock import SystemClock
from ...errors import ScheduleInvalid
from ...scheduler.read import duration_ms, instant_ms, instant_text
from ..remote import FAILED, USAGE, Failure
from ..words import plain
from .finding import below, found
from .main import Ask

_US_PER_MS = 1_000


def _pause(ask: Ask, options: argparse.Namespace) -> int:
    until = None if options.until is None else moment_ms(options.until)
    body: dict[str, Any] = {"note": options.note} if options.note else {}
    if until is not None:
        body["until"] = until
    said = "until it is resumed" if until is None else f"until {instant_text(until)}"
    return _post(ask, options, "pause", body, f"paused {said}")


def _resume(ask: Ask, options: argparse.Namespace) -> int:
    return _post(ask, options, "resume", {}, "resumed")


def _fire(ask: Ask, options: argparse.Namespace) -> int:
    return _post(ask, options, "fire", {"reason": options.reason}, "sent as {fire_id}")


def _replay(ask: Ask, options: argparse.Namespace) -> int:
    body = {"fire_id": options.fire, "definition": options.definition, "reason": options.reason}
    return _post(ask, options, "replay", body, "sent as {fire_id}")


def _post(ask: Ask, options: argparse.Namespace, act: str, body: dict[str, Any], said: str) -> int:
    remote = ask()
    row = found(remote, options.schedule)
    answer = remote.post(below(row, act), body)
    if options.json:
        print(json.dumps(answer))
    else:
        print(plain(f"{row['name']}: {said.format_map(answer or {})}"))
    return 0


def _backfill(ask: Ask, options: argparse.Namespace) -> int:
    body: dict[str, Any] = {
        "from_ms": moment_ms(options.begin), "to_ms": moment_ms(options.end),
        "overlap": options.overlap, "reason": options.reason,
    }  # fmt: skip
    body |= {} if options.max is None else {"max": options.max}
    remote = ask()
    row = found(remote, options.schedule)
    path = below(row, "backfill")
    shown = remote.post(path, {**body, "dry_run": True})
    more = ", more are left out" if shown["more"] else ""
    if not options.json:
        print(plain(f"{row['name']}: {shown['total']:,} slots{more}"))
    if not shown["total"]:
        return 0
    if not options.yes and not _agreed(shown["total"]):
        print("nothing was sent", file=sys.stderr)
        return FAILED
    sent = remote.post(path, {**body, "dry_run": False})
    print(json.dumps(sent) if options.json else plain(f"backfill {sent['backfill_id']}"))
    return 0


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise Failure(USAGE, "no terminal to ask on: give --yes")
    return input(f"Fire {count:,}? [y/N] ").strip().lower() in {"y", "yes"}


def moment_ms(text: str) -> int:
    """An instant with its offset from UTC, or a length of time from now.

    Raises:
        ScheduleInvalid: it is neither
    """
    try:
        return SystemClock().wall_us() // _US_PER_MS + duration_ms(text)
    except ScheduleInvalid:
        return instant_ms(text)


VERBS = {
    "pause": _pause, "resume": _resume, "fire": _fire, "backfill": _backfill, "replay": _replay,
}  # fmt: skip
