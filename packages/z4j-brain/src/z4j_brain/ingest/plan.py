"""Which position of a TASK item fills which column. The rule: every field remembers its source.

A field is *carried* when it outlives its attempt (name, queue, args …) and *scoped* when it
belongs to one attempt (worker, error, runtime …). Each has a slot in `origin`, where the key
of the fact that filled it is kept, so that facts may arrive in any order.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import fields

from ..tasks.model import attempts, tasks
from .items import Task

SRC = {field.name: index for index, field in enumerate(fields(Task))}
COL = {column.name: index for index, column in enumerate(tasks.columns)}
ATT = {column.name: index for index, column in enumerate(attempts.columns)}
WIDTH = len(COL)
ATT_WIDTH = len(ATT)

TASK_COLUMNS = tuple(COL)
ATTEMPT_COLUMNS = tuple(ATT)


class Step(NamedTuple):
    """Copy one position: from item, to column, remembered in slot."""

    src: int
    dst: int
    slot: int


class PreviewStep(NamedTuple):
    """Copy one preview: to flags, size and text columns; size -1 = not kept."""

    src: int
    flags: int
    size: int
    text: int
    slot: int


_CARRIED = {
    "name": "name",
    "queue": "queue",
    "eta": "eta",
    "expires": "expires",
    "priority": "priority",
    "tries_left": "tries_left",
    "timeout_ms": "timeout_ms",
    "root": "root",
    "parent": "parent",
    "group": "group_id",
    "retry_of": "retry_of",
    "cmd_id": "cmd_id",
    "schedule": "schedule",
    "fire_id": "fire_id",
    "slot": "slot_ms",
    "trace": "trace",
    "replayable_until": "replayable_until",
    "route": "route",
    "headers": "headers",
    "tags": "tags",
}
_SCOPED = {
    "worker": "worker",
    "pid": "pid",
    "start": "started",
    "runtime": "runtime_us",
    "exc_type": "exc_type",
}
_ATTEMPT = {
    "worker": "worker",
    "queue": "queue",
    "pid": "pid",
    "start": "started",
    "end": "finished",
    "runtime": "runtime_us",
    "exc_type": "exc_type",
    "tries_left": "tries_left",
}


def _steps(names: dict[str, str], columns: dict[str, int], first: int) -> tuple[Step, ...]:
    return tuple(
        Step(SRC[src], columns[dst], first + n) for n, (src, dst) in enumerate(names.items())
    )


def _preview(src: str, prefix: str, text: str, slot: int) -> PreviewStep:
    return PreviewStep(
        SRC[src], COL[f"{prefix}_flags"], COL.get(f"{prefix}_size", -1), COL[text], slot
    )


_ALL_CARRIED = _steps(_CARRIED, COL, 0)
_N = len(_ALL_CARRIED)
RARE = slice(SRC["root"], SRC["tags"] + 1)
"""Positions most facts leave empty: looked at only when one of them is not."""
CARRIED = tuple(step for step in _ALL_CARRIED if step.src < RARE.start)
RARELY_CARRIED = tuple(step for step in _ALL_CARRIED if step.src >= RARE.start)
CARRIED_PREVIEWS = (
    _preview("args", "args", "args", _N),
    _preview("kwargs", "kwargs", "kwargs", _N + 1),
)
SCOPED = _steps(_SCOPED, COL, _N + 2)
_M = _N + 2 + len(SCOPED)
RUNTIME_SLOT = next(step.slot for step in SCOPED if step.dst == COL["runtime_us"])
SCOPED_PREVIEWS = (
    _preview("result", "result", "result", _M),
    _preview("exc_message", "exc", "exc_message", _M + 1),
)
FINISHED_SLOT = _M + 2
EXTRA_SLOT = _M + 3
HOST_SLOT = _M + 4
VIA_SLOT = _M + 5
SLOTS = _M + 6

SCOPED_CLEAR = (
    *((step.dst, None, step.slot) for step in SCOPED),
    *((step.text, None, step.slot) for step in SCOPED_PREVIEWS),
    *((step.flags, 0, step.slot) for step in SCOPED_PREVIEWS),
    (COL["result_size"], None, _M),
    (COL["finished"], None, FINISHED_SLOT),
    (COL["extra"], None, EXTRA_SLOT),
)
"""(column, empty value, slot) of everything that ends with its attempt."""

ATTEMPT_STEPS = _steps(_ATTEMPT, ATT, 0)
_A = len(ATTEMPT_STEPS)
ATTEMPT_RUNTIME_SLOT = next(step.slot for step in ATTEMPT_STEPS if step.dst == ATT["runtime_us"])
ATTEMPT_PREVIEWS = (
    PreviewStep(SRC["exc_message"], ATT["exc_flags"], -1, ATT["exc_message"], _A),
    PreviewStep(SRC["traceback"], ATT["traceback_flags"], -1, ATT["traceback"], _A + 1),
)
DUE_SLOT = _A + 2
ATTEMPT_SLOTS = _A + 3
