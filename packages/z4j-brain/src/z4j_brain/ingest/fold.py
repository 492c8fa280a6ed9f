"""Facts of one task become its row. The rule: (run, attempt, rank) decides, never arrival.

Pure: no clock, no database. A row moves only upward; a fact of equal key fills empty fields
only; what belongs to an attempt ends with it.
"""

from __future__ import annotations

from .items import Progress, opened
from .plan import (
    ATT,
    ATTEMPT_PREVIEWS,
    ATTEMPT_SLOTS,
    ATTEMPT_STEPS,
    CARRIED,
    CARRIED_PREVIEWS,
    COL,
    DUE_SLOT,
    EXTRA_SLOT,
    FINISHED_SLOT,
    HOST_SLOT,
    RARE,
    RARELY_CARRIED,
    SCOPED,
    SCOPED_CLEAR,
    SCOPED_PREVIEWS,
    SLOTS,
    SRC,
    VIA_SLOT,
    PreviewStep,
    Step,
)
from .rows import AttemptRow, Fields, Meta, TaskRow, Values

_KIND, _STATE, _AT, _RUN, _ATTEMPT = (SRC[n] for n in ("kind", "state", "at", "run", "attempt"))
_START, _END, _ENQUEUED = SRC["start"], SRC["end"], SRC["enqueued"]
_ETA, _FLAGS, _EXTRA, _LEFT = SRC["eta"], SRC["flags"], SRC["extra"], SRC["tries_left"]
_VIA, _RECEIVED = SRC["via"], SRC["received"]
_RETRYING, _QUEUED, _RUNNING, _LOST = 5, 2, 3, 4
_SENT_KINDS, _BY_SCHEDULE = frozenset({1, 2}), 3
_STARTED_KIND, _RETRY_KIND, _DEAD_KIND, _REDELIVERED_KIND, _REQUEUED_KIND = 4, 5, 11, 13, 14
_RECEIVED_KIND = 3
_OF_ATTEMPT = frozenset({3, 4, 5, 6, 7, 8, 9, 10, 11, 13})
_ENDS = frozenset({5, 6, 7, 8, 9, 10, 11})
_FINAL = frozenset({4, 6, 7, 8, 9})
_FLAG_OF_KIND = {_DEAD_KIND: 4, _REDELIVERED_KIND: 1}
_SECOND_US = 1_000_000
_HEX = frozenset({COL["cmd_id"], COL["fire_id"]})


def blank(ref: str, project_id: str, engine: str, app: str, task_id: str) -> TaskRow:
    """A task nothing is known of yet."""
    values = _BLANK.copy()
    values[:5] = (ref, project_id, engine, app, task_id)
    return TaskRow(values, [-1] * SLOTS, new=True)


_ZERO = (
    *("state", "run", "attempt", "at", "flags", "rank", "v", "via"),
    *("args_flags", "kwargs_flags", "result_flags", "exc_flags"),
)
_BLANK: Values = [0 if name in _ZERO else None for name in COL]
_A_ZERO = ("state", "exc_flags", "traceback_flags", "rank")
_BLANK_ATTEMPT: Values = [0 if name in _A_ZERO else None for name in ATT]


def fold(row: TaskRow, fact: Fields, meta: Meta) -> None:
    """Apply one fact (the fields of a TASK item, in order) to `row`."""
    values = row.values
    kind = fact[_KIND]
    run = fact[_RUN] or _run_of(values, fact)
    attempt = fact[_ATTEMPT] or _attempt_of(values, fact, run)
    key = run << 32 | attempt << 16 | fact[_STATE] << 8 | kind
    span = key >> 16
    if fact[_STATE] and key > values[_C_RANK]:
        _raise_to(row, key)
    _copy(values, row.origin, fact, key, CARRIED, CARRIED_PREVIEWS)
    if any(fact[RARE]):
        _copy(values, row.origin, fact, key, RARELY_CARRIED, ())
        _rare_rest(row, fact, key)
    if fact[_STATE] and span == values[_C_RANK] >> 16:
        _copy(values, row.origin, fact, key, SCOPED, SCOPED_PREVIEWS)
        _scoped_rest(row, fact, key)
    _carried_rest(row, fact, meta, key)
    if attempt and kind in _OF_ATTEMPT:
        _fold_attempt(row, fact, meta, key)


_C_RANK, _C_AT, _C_STATE = COL["rank"], COL["at"], COL["state"]
_C_RUN, _C_ATTEMPT, _C_FLAGS = COL["run"], COL["attempt"], COL["flags"]
_C_ENQUEUED, _C_STARTED, _C_FINISHED = COL["enqueued"], COL["started"], COL["finished"]
_C_HOST, _C_RELEASE, _C_ENV = COL["host"], COL["release"], COL["environment"]
_C_VIA = COL["via"]
_C_TAGS, _C_EXTRA, _C_LEFT, _C_PROGRESS = (
    COL["tags"],
    COL["extra"],
    COL["tries_left"],
    COL["progress"],
)
_START_SLOT = next(step.slot for step in SCOPED if step.dst == _C_STARTED)


def _run_of(values: Values, fact: Fields) -> int:
    """The run of a fact that does not know it: the stored one, or a new one after an end."""
    run: int = values[_C_RUN]
    if not run:
        return 1
    state = values[_C_RANK] >> 8 & 0xFF
    if state not in _FINAL:
        return run
    if fact[_KIND] == _REQUEUED_KIND:
        return run + 1
    if fact[_VIA] == _BY_SCHEDULE and fact[_KIND] in _SENT_KINDS:
        return run  # a second copy of a fire, which no worker starts
    end = values[_C_FINISHED] or values[_C_AT]
    # An end may be all that is told of a run: then its start decides, not when it was over.
    since = fact[_AT] if fact[_KIND] <= _STARTED_KIND else fact[_START]
    fresh = fact[_ATTEMPT] <= 1 and since is not None and since > end + _SECOND_US
    return run + 1 if fresh else run


def _attempt_of(values: Values, fact: Fields, run: int) -> int:
    """The attempt of a fact that does not know it; 0 when it is of none."""
    if not _STARTED_KIND <= fact[_KIND] <= _DEAD_KIND:
        return 0
    if run != values[_C_RUN]:
        return 1
    attempt: int = max(values[_C_ATTEMPT], 1)
    if fact[_KIND] != _STARTED_KIND:
        return attempt
    left, known = fact[_LEFT], values[_C_LEFT]
    again = (values[_C_RANK] >> 8 & 0xFF) == _RETRYING
    fewer = left is not None and known is not None and left < known
    return attempt + 1 if again or (fewer and values[_C_STARTED] is not None) else attempt


def _raise_to(row: TaskRow, key: int) -> None:
    values = row.values
    if key >> 16 > values[_C_RANK] >> 16:
        for column, empty, slot in SCOPED_CLEAR:
            values[column] = empty
            row.origin[slot] = -1
        values[_C_PROGRESS] = None
        if key >> 32 > values[_C_RUN]:
            values[_C_ENQUEUED] = None
    values[_C_RANK] = key
    values[_C_RUN] = key >> 32
    attempt = values[_C_ATTEMPT] = key >> 16 & 0xFFFF
    state = key >> 8 & 0xFF
    values[_C_STATE] = _RETRYING if state == _QUEUED and attempt > 1 else state


def _copy(
    values: Values,
    origin: list[int],
    fact: Fields,
    key: int,
    steps: tuple[Step, ...],
    previews: tuple[PreviewStep, ...],
) -> None:
    for src, dst, slot in steps:
        value = fact[src]
        if value is not None and key > origin[slot]:
            values[dst] = value.hex() if dst in _HEX and type(value) is bytes else value
            origin[slot] = key
    for src, flags, size, text, slot in previews:
        preview = fact[src]
        if preview is not None and key > origin[slot]:
            origin[slot] = key
            values[flags] = preview.flags
            values[text] = preview.text
            if size >= 0:
                values[size] = min(preview.size, 0x7FFFFFFF)


def _scoped_rest(row: TaskRow, fact: Fields, key: int) -> None:
    values, origin, kind = row.values, row.origin, fact[_KIND]
    if kind == _STARTED_KIND and fact[_START] is None and key > origin[_START_SLOT]:
        values[_C_STARTED], origin[_START_SLOT] = fact[_AT], key
    if kind in _ENDS and kind != _RETRY_KIND and key > origin[FINISHED_SLOT]:
        end = fact[_END]
        values[_C_FINISHED] = fact[_AT] if end is None else end
        origin[FINISHED_SLOT] = key
    extra = fact[_EXTRA]
    if key > origin[EXTRA_SLOT] and len(memoryview(extra)) > 1:
        document = opened(extra, 2_048)
        if document:
            values[_C_EXTRA], origin[EXTRA_SLOT] = document, key


def _rare_rest(row: TaskRow, fact: Fields, key: int) -> None:
    values = row.values
    values[_C_FLAGS] |= fact[_FLAGS] or 0
    if fact[_VIA] and key > row.origin[VIA_SLOT]:
        values[_C_VIA], row.origin[VIA_SLOT] = fact[_VIA], key


def _carried_rest(row: TaskRow, fact: Fields, meta: Meta, key: int) -> None:
    values = row.values
    values[_C_AT] = max(values[_C_AT], fact[_AT])
    enqueued = fact[_ENQUEUED]
    if enqueued is not None and fact[_STATE] and key >> 32 == values[_C_RUN]:
        known = values[_C_ENQUEUED]
        values[_C_ENQUEUED] = enqueued if known is None else min(known, enqueued)
    if fact[_KIND] in _FLAG_OF_KIND:
        values[_C_FLAGS] |= _FLAG_OF_KIND[fact[_KIND]]
    if meta.host is not None and key > row.origin[HOST_SLOT]:
        row.origin[HOST_SLOT] = key
        values[_C_HOST], values[_C_RELEASE], values[_C_ENV] = meta[:3]
        if meta.tags and values[_C_TAGS] is None:
            values[_C_TAGS] = meta.tags


_A_STATE, _A_RANK, _A_RECEIVED = ATT["state"], ATT["rank"], ATT["received"]
_A_STARTED, _A_FINISHED, _A_DUE = ATT["started"], ATT["finished"], ATT["due_at"]
_A_HOST, _A_RUNTIME = ATT["host"], ATT["runtime_us"]
_A_START_SLOT = next(step.slot for step in ATTEMPT_STEPS if step.dst == _A_STARTED)
_A_END_SLOT = next(step.slot for step in ATTEMPT_STEPS if step.dst == _A_FINISHED)


def _fold_attempt(row: TaskRow, fact: Fields, meta: Meta, key: int) -> None:
    part = row.attempts.get((key >> 32, key >> 16 & 0xFFFF))
    if part is None:
        part = _blank_attempt(row, key)
    part.changed = True
    values, origin, kind = part.values, part.origin, fact[_KIND]
    low = key & 0xFFFF
    if low > values[_A_RANK]:
        values[_A_RANK], values[_A_STATE] = low, low >> 8
    _copy(values, origin, fact, low, ATTEMPT_STEPS, ATTEMPT_PREVIEWS)
    received = fact[_AT] if kind == _RECEIVED_KIND else fact[_RECEIVED]
    if received is not None and (values[_A_RECEIVED] or received) >= received:
        values[_A_RECEIVED] = received
    if kind == _STARTED_KIND and fact[_START] is None and low > origin[_A_START_SLOT]:
        values[_A_STARTED], origin[_A_START_SLOT] = fact[_AT], low
    if kind in _ENDS and fact[_END] is None and low > origin[_A_END_SLOT]:
        values[_A_FINISHED], origin[_A_END_SLOT] = fact[_AT], low
    if kind == _RETRY_KIND and fact[_ETA] is not None and low > origin[DUE_SLOT]:
        values[_A_DUE], origin[DUE_SLOT] = fact[_ETA], low
    if values[_A_HOST] is None or low >= values[_A_RANK]:
        values[_A_HOST] = meta.host or values[_A_HOST]


def _blank_attempt(row: TaskRow, key: int) -> AttemptRow:
    values = _BLANK_ATTEMPT.copy()
    run, attempt = key >> 32, key >> 16 & 0xFFFF
    values[:4] = (row.values[0], run, attempt, row.values[1])
    part = AttemptRow(values, [-1] * ATTEMPT_SLOTS, new=True)
    row.attempts[run, attempt] = part
    return part


def fold_progress(row: TaskRow, fact: Progress) -> bool:
    """Apply one PROGRESS item; True when the row shows it."""
    values = row.values
    if fact.attempt and fact.attempt != values[_C_ATTEMPT]:
        return False
    if values[_C_STATE] not in {_QUEUED, _RUNNING, _LOST}:
        return False
    known = values[_C_PROGRESS]
    if known is not None and known["at"] >= fact.at:
        return False
    values[_C_PROGRESS] = {
        "at": fact.at,
        "current": fact.current,
        "total": fact.total,
        "text": fact.text,
    }
    return True
