"""`status` and `move-group`: groups as the brain has them. The rule: its API says who may."""

from __future__ import annotations

import argparse
import json
import threading
from typing import Any

from z4j_core.cli.remote import FAILED, Failure, Remote, remote_of
from z4j_core.cli.words import plain

from .serve import source_of

LOOK_S, LONGEST_S = 0.5, 90.0
Row = dict[str, Any]


def _status(options: argparse.Namespace) -> int:
    rows = remote_of(options).get("schedules/groups")["items"]
    for row in rows:
        _say(row, options)
    if not rows and not options.json:
        print("no groups: no schedule was made, and no agent is connected")
    return FAILED if any(row["silent"] for row in rows) else 0


def _move(options: argparse.Namespace) -> int:
    engine, app = source_of(options.group)
    remote = remote_of(options)
    body = {"engine": engine, "app": app, "mode": options.to, "store": options.store}
    row = remote.post("schedules/groups/move", body)
    pause, left_s = threading.Event(), LONGEST_S
    while row["moving_to"] and not options.no_wait:
        if left_s <= 0:
            raise Failure(FAILED, f"not moved within {LONGEST_S:g} s: see status")
        pause.wait(LOOK_S)
        left_s -= LOOK_S
        row = _found(remote, engine, app)
    _say(row, options)
    return 0


def _found(remote: Remote, engine: str, app: str) -> Row:
    for row in remote.get("schedules/groups")["items"]:
        if (row["engine"], row["app"]) == (engine, app):
            return dict(row)
    raise Failure(FAILED, f"no group {engine}/{app}")


def _say(row: Row, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(row))
        return
    leader = row["leader"]
    who = f"led by {leader['host']}:{leader['pid']} (epoch {leader['epoch']})" if leader else ""
    mode = f"moving to {row['moving_to']}" if row["moving_to"] else row["mode"]
    many = len(row["candidates"])
    parts = [
        f"{row['engine']}/{row['app']}", mode, f"revision {row['revision']}",
        who or row["why"] or "nobody leads yet", f"{many} could",
    ]  # fmt: skip
    print(plain("  ".join(parts)))


COMMANDS = {"status": _status, "move-group": _move}
