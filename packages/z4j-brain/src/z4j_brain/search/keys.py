"""The keys of the query language. The rule: what is not listed here is an error, never text."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """How the values of a key are read."""

    ENUM = "enum"
    EXACT = "exact"
    GLOB = "glob"
    PREFIX = "prefix"
    INT = "int"
    DURATION = "duration"
    TIME = "time"
    ARG = "arg"
    TEXT = "text"


class Key(NamedTuple):
    """One key: how it is read, the column it reads, and a sentence for people."""

    kind: Kind
    column: str
    doc: str
    values: tuple[str, ...] = ()
    at_least: int = 4


STATES = (
    "unknown",
    "scheduled",
    "queued",
    "running",
    "lost",
    "retrying",
    "expired",
    "cancelled",
    "failed",
    "succeeded",
)
"""Index = number of the state in the database."""
IS = ("dead", "retryable", "redacted", "truncated", "opaque", "fire", "retry", "root")
HAS = ("args", "result", "traceback", "parent", "children", "trace")
ORDERED = frozenset({Kind.INT, Kind.DURATION, Kind.TIME, Kind.ARG})

KEYS: dict[str, Key] = {
    "state": Key(Kind.ENUM, "state", "state of the task", STATES),
    "engine": Key(Kind.EXACT, "engine", "engine that runs the task"),
    "env": Key(Kind.EXACT, "environment", "environment of the reporting process"),
    "priority": Key(Kind.INT, "priority", "priority as the engine counts it"),
    "is": Key(Kind.ENUM, "", "dead, retryable, redacted, … ", IS),
    "has": Key(Kind.ENUM, "", "has args, a result, a traceback, …", HAS),
    "task": Key(Kind.GLOB, "name", "name of the definition, * is a wildcard"),
    "queue": Key(Kind.GLOB, "queue", "name of the queue"),
    "worker": Key(Kind.GLOB, "worker", "name of the worker"),
    "host": Key(Kind.GLOB, "host", "host of the worker"),
    "release": Key(Kind.GLOB, "release", "release of the application"),
    "tag": Key(Kind.GLOB, "tags", "name or name=value of a tag"),
    "schedule": Key(Kind.GLOB, "schedule", "schedule that fired the task"),
    "id": Key(Kind.PREFIX, "task_id", "beginning of the engine's task id"),
    "ref": Key(Kind.PREFIX, "ref", "beginning of the reference in links"),
    "root": Key(Kind.PREFIX, "root", "beginning of the id of the workflow's first task"),
    "parent": Key(Kind.PREFIX, "parent", "beginning of the id of the parent"),
    "issue": Key(Kind.PREFIX, "fingerprint", "beginning of the fingerprint of a failure", (), 1),
    "fire": Key(Kind.PREFIX, "fire_id", "beginning of the id of a fire"),
    "trace": Key(Kind.PREFIX, "trace", "beginning of the trace id"),
    "attempt": Key(Kind.INT, "attempt", "number of the current attempt"),
    "wait": Key(Kind.DURATION, "wait_us", "time from enqueue to start"),
    "took": Key(Kind.DURATION, "runtime_us", "time the last attempt ran"),
    "age": Key(Kind.DURATION, "enqueued", "time since enqueue"),
    "at": Key(Kind.TIME, "at", "time of the newest fact"),
    "started": Key(Kind.TIME, "started", "time of the start"),
    "finished": Key(Kind.TIME, "finished", "time of the end"),
    "eta": Key(Kind.TIME, "eta", "time before which it must not start"),
    "arg": Key(Kind.ARG, "args", "one argument: arg.order_id, arg.0, arg.user.name"),
    "args": Key(Kind.TEXT, "args", "text anywhere in the arguments"),
    "error": Key(Kind.TEXT, "exc_message", "text in the type or message of the exception"),
    "exc": Key(Kind.TEXT, "exc_type", "text in the type of the exception"),
    "result": Key(Kind.TEXT, "result", "text in the result"),
}


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name with the fewest edits to `word`, when at most half of it differs."""
    best = min(names, key=lambda name: _edits(word, name), default=None)
    if best is None or _edits(word, best) > max(2, len(word) // 2):
        return None
    return best


def _edits(one: str, other: str) -> int:
    """Edit distance; swapped neighbours count once, both words are cut at 32 characters."""
    one, other = one[:32], other[:32]
    table = [[i + j for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i, left in enumerate(one, 1):
        for j, right in enumerate(other, 1):
            table[i][j] = min(
                table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (left != right)
            )
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]
