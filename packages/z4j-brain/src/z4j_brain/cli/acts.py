"""Acts from the command line: preview, question, confirmation, outcome. The rule: no act unseen."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from z4j_core.cli.remote import FAILED, USAGE, Failure, Remote
from z4j_core.cli.words import plain
from z4j_core.clock import SystemClock

ASK_S = 0.2
_OVER = frozenset({"done", "aborted", "undone"})


def act(remote: Remote, options: argparse.Namespace, wish: Mapping[str, Any]) -> int:
    """Do `options.verb` to what `wish` names; 0 when it was done to all of them.

    Raises:
        Failure: nothing was sent, or the brain refused.
    """
    shown = remote.post("bulk/preview", {"action": options.verb, **wish})
    will = sum(each["will"] for each in shown["per_engine"])
    if not options.json:
        print(_preview(shown, options.verb, will))
    if not will:
        return FAILED
    if not options.yes and not _agreed(options.verb, will):
        print("nothing was sent")
        return FAILED
    body = {"preview_id": shown["preview_id"], "reason": options.reason, "hold_s": 0}
    bulk = remote.post("bulk", body, Idempotency_Key=os.urandom(16).hex())
    bulk = _until_over(remote, bulk, options.wait)
    print(json.dumps(bulk) if options.json else _outcome(bulk))
    return 0 if bulk["counts"]["done"] == bulk["total"] else FAILED


def _preview(shown: Mapping[str, Any], verb: str, will: int) -> str:
    parts = [f"{shown['total']:,} match", f"{will:,} will {verb}"]
    for engine in shown["per_engine"]:
        parts += [f"{gap['n']:,} skipped ({plain(gap['code'])})" for gap in engine["skipped"]]
    return f"{' · '.join(parts)}\n{plain(shown['effect'])}"


def _agreed(verb: str, will: int) -> bool:
    if not sys.stdin.isatty():
        raise Failure(USAGE, "no terminal to ask on: give --yes")
    return input(f"{verb.capitalize()} {will:,}? [y/N] ").strip().lower() in {"y", "yes"}


def _until_over(remote: Remote, bulk: Mapping[str, Any], wait_s: float) -> Mapping[str, Any]:
    clock, never = SystemClock(), threading.Event()
    until = clock.monotonic() + wait_s
    while bulk["state"] not in _OVER and clock.monotonic() < until:
        never.wait(ASK_S)
        bulk = remote.get(f"bulk/{bulk['id']}")
    return bulk


def _outcome(bulk: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{n:,} {plain(state)}" for state, n in bulk["counts"].items() if n)
    over = "" if bulk["state"] in _OVER else f"; still {plain(bulk['state'])}"
    return f"{counts or 'nothing yet'}{over} · bulk {plain(bulk['id'])}"
