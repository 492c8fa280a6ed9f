"""`z4j tasks list|show|retry|cancel`. The rule: the query is the dashboard's, the brain judges."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from z4j_core.cli.remote import FAILED, USAGE, Failure, Remote, remote_of
from z4j_core.cli.tls import add_tls
from z4j_core.cli.words import lines, plain, span, table
from z4j_core.clock import SystemClock

from .acts import act

Row = Mapping[str, Any]
REF_CHARS = 8
_PREFIX = 4
_MOST = 200


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or (given[0].startswith("-") and given[0] not in {"-h", "--help"}):
        given.insert(0, "list")
    options = _options().parse_args(given)
    try:
        remote = remote_of(options)
        return _VERBS[options.verb](remote, options)
    except Failure as error:
        print(f"z4j tasks: {plain(error)}", file=sys.stderr)
        return error.status
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _options() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="z4j tasks", description="Tasks, as the dashboard has.")
    verbs = found.add_subparsers(dest="verb", required=True)
    listed = verbs.add_parser("list", help="tasks that match, newest first")
    listed.add_argument("--limit", type=int, default=50, help="at most so many (50)")
    shown = verbs.add_parser("show", help="one task in full")
    shown.add_argument("task", help="its id or reference, or four characters of one")
    _common(listed, shown)
    _queried(listed)
    for verb in ("retry", "cancel"):
        acting = verbs.add_parser(verb, help=f"{verb} tasks, after a preview")
        acting.add_argument("task", nargs="*", help="ids or references; else -q")
        acting.add_argument("--yes", action="store_true", help="do not ask")
        acting.add_argument("--reason", default="", help="kept in the audit record")
        acting.add_argument("--wait", type=float, default=60.0, help="seconds to wait (60)")
        _common(acting)
        _queried(acting)
    return found


def _common(*parsers: argparse.ArgumentParser) -> None:
    for parser in parsers:
        parser.add_argument("--project", help="slug of the project")
        parser.add_argument("--json", action="store_true", help="one object per line")
        add_tls(parser)


def _queried(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", "--query", default="", help="state:failed queue:mail age:<1h …")
    parser.add_argument("--range", default="all", help="15m 1h 6h 24h 7d 30d or all (all)")


def _list(remote: Remote, options: argparse.Namespace) -> int:
    rows: list[Row] = []
    cursor, now_ms = None, SystemClock().wall_us() // 1000
    while len(rows) < options.limit:
        page = remote.get(
            "tasks", q=options.query, range=options.range, cursor=cursor,
            limit=min(options.limit - len(rows), _MOST),
        )  # fmt: skip
        rows += page["items"]
        cursor = page["next"]
        if not cursor or not page["items"]:
            break
    if options.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=True))
    elif rows:
        print("\n".join(table([_cells(row, now_ms) for row in rows])))
    return 0


def _cells(row: Row, now_ms: int) -> list[str]:
    tries = f"{row['attempt']}/{row['max_attempts']}" if row["max_attempts"] else row["attempt"]
    began = row["enqueued_at"] or row["at"]
    error = ": ".join(filter(None, ((row["exc_type"] or "").rpartition(".")[2],
                                    row["exc_message"])))  # fmt: skip
    return [
        row["ref"][:REF_CHARS], row["state"], plain(row["task"], 60), plain(row["headline"], 48),
        plain(row["queue"], 24), str(tries), span(row["took_us"]),
        span((now_ms - began) * 1000 if began else None), plain(error, 80),
    ]  # fmt: skip


def find(remote: Remote, text: str) -> str:
    """The full reference of the one task that is meant.

    Raises:
        Failure: there is none, or more than one.
    """
    if len(text) < _PREFIX:
        raise Failure(USAGE, f"give at least {_PREFIX} characters of an id")
    quoted = json.dumps(text, ensure_ascii=False)
    page = remote.get("tasks", q=f"ref:{quoted} OR id:{quoted}", range="all", limit=2)
    exact = [row for row in page["items"] if text in (row["ref"], row["id"])]
    found = exact or page["items"]
    if len(found) != 1:
        many = "more than one task begins" if found else "no task begins"
        raise Failure(FAILED, f"{many} with {text!r}")
    return str(found[0]["ref"])


def _show(remote: Remote, options: argparse.Namespace) -> int:
    row = remote.get(f"tasks/{find(remote, options.task)}")
    print(json.dumps(row) if options.json else _text(row))
    return 0


def _text(row: Row) -> str:
    facts = [
        ("task", row["task"]), ("id", row["id"]), ("ref", row["ref"]), ("state", row["state"]),
        ("engine", row["engine"]), ("queue", row["queue"]), ("worker", row["worker"]),
        ("attempt", row["attempt"]), ("took", span(row["took_us"])),
        ("args", _preview(row["args"])), ("kwargs", _preview(row["kwargs"])),
        ("result", _preview(row["result"])),
    ]  # fmt: skip
    said = [f"{name:<8} {plain(value)}" for name, value in facts if value not in (None, "")]
    if error := row["error"]:
        said += ["", f"{plain(error['type'])}: {plain(_preview(error['message']))}"]
        said.append(lines(_preview(error["traceback"])))
    return "\n".join(said).rstrip()


def _preview(told: Row | None) -> str:
    if not told:
        return ""
    return "hidden: your role does not include it" if told.get("hidden") else told.get("text", "")


def _retry_or_cancel(remote: Remote, options: argparse.Namespace) -> int:
    if bool(options.task) == bool(options.query):
        raise Failure(USAGE, "name tasks, or give a query with -q")
    if options.task:
        wish: dict[str, Any] = {"refs": [find(remote, each) for each in options.task]}
    else:
        wish = {"q": options.query, "range": options.range}
    return act(remote, options, wish)


_VERBS: dict[str, Callable[[Remote, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "retry": _retry_or_cancel,
    "cancel": _retry_or_cancel,
}
