"""What a row shows that no single fact says. The rule: computed from the row alone."""

from __future__ import annotations

from .fingerprint import fingerprint
from .plan import ATT, ATTEMPT_RUNTIME_SLOT, COL, RUNTIME_SLOT
from .rows import AttemptRow, TaskRow, Values

_SEARCH, _NAME, _ARGS, _KWARGS = COL["search"], COL["name"], COL["args"], COL["kwargs"]
_TYPE, _MESSAGE, _PRINT = COL["exc_type"], COL["exc_message"], COL["fingerprint"]
_STARTED, _FINISHED, _ENQUEUED = COL["started"], COL["finished"], COL["enqueued"]
_RUNTIME, _WAIT, _ETA, _ATTEMPT = COL["runtime_us"], COL["wait_us"], COL["eta"], COL["attempt"]
_RUN, _V = COL["run"], COL["v"]
_A_STARTED, _A_FINISHED, _A_RUNTIME = ATT["started"], ATT["finished"], ATT["runtime_us"]
_A_TRACEBACK = ATT["traceback"]


def finish(row: TaskRow) -> None:
    """Fill search text, fingerprint, wait and runtime; raise the row's version by one."""
    values = row.values
    values[_V] += 1
    error = values[_TYPE]
    if error is None:
        values[_PRINT] = None
        parts = [values[_NAME], values[_ARGS], values[_KWARGS]]
    else:
        values[_PRINT] = fingerprint(error, values[_MESSAGE], _traceback(row))
        text = f"{error}: {values[_MESSAGE] or ''}"
        parts = [values[_NAME], text, values[_ARGS], values[_KWARGS]]
    values[_SEARCH] = "\n".join(part for part in parts if part).lower()
    values[_WAIT] = _wait(values)
    started, finished = values[_STARTED], values[_FINISHED]
    if row.origin[RUNTIME_SLOT] < 0:
        values[_RUNTIME] = _between(started, finished)
    for part in row.attempts.values():
        if part.changed:
            _finish_attempt(part)


def _between(started: int | None, finished: int | None) -> int | None:
    return None if started is None or finished is None else max(0, finished - started)


def _wait(values: Values) -> int | None:
    started: int | None = values[_STARTED]
    eta: int | None = values[_ETA]
    if started is None:
        return None
    if values[_ATTEMPT] > 1:
        return None if eta is None else max(0, started - eta)
    enqueued: int | None = values[_ENQUEUED]
    if enqueued is None:
        return None
    ready = max(enqueued, eta) if eta is not None and eta <= started else enqueued
    return max(0, started - ready)


def _traceback(row: TaskRow) -> str | None:
    part = row.attempts.get((row.values[_RUN], row.values[_ATTEMPT]))
    return part.values[_A_TRACEBACK] if part else None


def _finish_attempt(part: AttemptRow) -> None:
    values = part.values
    started, finished = values[_A_STARTED], values[_A_FINISHED]
    if part.origin[ATTEMPT_RUNTIME_SLOT] < 0:
        values[_A_RUNTIME] = _between(started, finished)
