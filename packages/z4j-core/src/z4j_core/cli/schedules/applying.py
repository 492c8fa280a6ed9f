"""`diff` and `apply`. The rule: a set with one fault is not applied, not even in part."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ...scheduler.declare import Declared, read_declared
from ..remote import AWAY, FAILED, USAGE, Failure
from ..words import plain
from .finding import Row
from .main import Ask
from .source import load

PATIENCE_S = 300.0
"""How long a large set may take the brain."""
_FEW = 10


def _diff(ask: Ask, options: argparse.Namespace) -> int:
    body = body_of(options)
    answer = replace(ask(), timeout_s=PATIENCE_S).post("schedules/diff", body)
    _told(answer, options, "would ")
    return FAILED if changes(answer) or answer["drift"] else 0


def _apply(ask: Ask, options: argparse.Namespace) -> int:
    body = body_of(options)
    remote = replace(ask(), timeout_s=PATIENCE_S)
    try:
        answer = remote.post("schedules/apply", body)
    except Failure as error:
        if error.status != AWAY:
            raise
        raise Failure(AWAY, f"{error}; see with diff whether it was applied") from error
    _told(answer, options, "")
    return FAILED if answer["drift"] and options.on_drift == "fail" else 0


def body_of(options: argparse.Namespace) -> dict[str, Any]:
    """What is sent: of every schedule what it does not have anyway.

    Raises:
        Failure: 2, with every fault of the set
    """
    found = declared(options)
    place = {"engine": options.engine, "app": options.app}
    return {
        "tag": found.tag,
        **{name: value for name, value in place.items() if value is not None},
        "schedules": {name: entry.brief() for name, entry in found.entries.items()},
        "prune": options.prune,
        "on_drift": options.on_drift,
    }


def declared(options: argparse.Namespace) -> Declared:
    """The set that is meant."""
    value, usual = load(options.source)
    reading = read_declared(value, options.tag or usual)
    if reading.faults:
        told = [f"{error.pointer or '/'}: {plain(error)}" for error in reading.faults]
        count = "1 fault" if len(told) == 1 else f"{len(told)} faults"
        raise Failure(USAGE, "\n  ".join([f"{count}, nothing was sent:", *told]))
    if options.tag and options.tag != reading.declared.tag:
        raise Failure(USAGE, f"the set says tag {reading.declared.tag!r}, not {options.tag!r}")
    if not reading.declared.tag:
        raise Failure(USAGE, "the set has no tag: add one, or give --tag")
    return reading.declared


def changes(answer: Row) -> bool:
    """Whether anything is made, changed or pruned."""
    return bool(answer["create"] or answer["change"] or answer["prune"])


def _told(answer: Row, options: argparse.Namespace, would: str) -> None:
    if options.json:
        print(json.dumps(answer))
        return
    pruned = {"disable": "disable", "delete": "delete", "none": "leave"}[options.prune]
    for line in _lines(answer, pruned):
        print(line)
    warnings = [f"warning: {plain(each['text'])}" for each in answer["warnings"]]
    more = [f"and {len(warnings) - _FEW} warnings more"] if len(warnings) > _FEW else []
    for line in [*warnings[:_FEW], *more]:
        print(line, file=sys.stderr)
    counts = (("create", "create"), ("change", "change"), ("prune", pruned))
    done = ", ".join(f"{verb} {len(answer[key])}" for key, verb in counts if answer[key])
    print(f"{would}{done or 'change nothing'}; {answer['unchanged']} as declared")


def _lines(answer: Row, pruned: str) -> Iterator[str]:
    """One line for each schedule that differs, and below it each field that does."""
    yield from (f"+ {plain(name)}" for name in answer["create"])
    for each in answer["change"]:
        yield f"~ {plain(each['name'])}"
        for field in each["fields"]:
            yield f"    {plain(field['field'])}: {_json(field['before'])} → {_json(field['after'])}"
    yield from (f"- {plain(name)} ({pruned})" for name in answer["prune"])
    for each in answer["drift"]:
        now, said = _json(each["now"]), _json(each["declared"])
        yield f"! {plain(each['name'])} {plain(each['field'])}: edited to {now}, declared {said}"


def _json(value: Any) -> str:
    return plain(json.dumps(value, ensure_ascii=False))


VERBS = {"diff": _diff, "apply": _apply}
