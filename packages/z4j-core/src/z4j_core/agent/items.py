"""From a fact of an adapter to an item of the wire. The rule: positions never move.

No item exceeds 16 KiB: extra and headers go first, then traceback, result, kwargs, args are cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from ..model.tasks import STATE_OF_KIND, EventKind, TaskEvent
from ..scheduler.fires import read_mark
from .runs import BY_NATIVE, BY_SCHEDULE, Origin

MAX_ITEM = 16 << 10
MAX_NAME = 256
MAX_DETAIL = 100
_U16, _U32 = 0xFFFF, 0xFFFFFFFF
PREVIEW_TRUNCATED = 2
_MAX_MAP = 16
Preview = tuple[int, int, str]

INFO, WARNING = 20, 30
"""Levels of a note: what was warned of is over, and a warning."""
TAG_LOST, TAG_TASK, TAG_RESULT, TAG_WORKER, TAG_NOTE = 0, 1, 3, 5, 6
BORN = frozenset({EventKind.ENQUEUED, EventKind.SCHEDULED})
_KINDS = {kind: (int(kind), int(state)) for kind, state in STATE_OF_KIND.items()}
"""Numbers of a kind and of its state."""
_SUCCEEDED = _KINDS[EventKind.SUCCEEDED]
_SEQUENCES = (list, tuple)
REPLAYED = frozenset({EventKind.FAILED, EventKind.CANCELLED, EventKind.EXPIRED})
"""Ends whose original message is kept for a later retry."""
_HEAD = TaskEvent._fields.index("retry_of")
"""Fields of an event before those that are rare; positions 31 to 43 say these."""
_NATIVE = TaskEvent._fields.index("native")
_PLAIN_REST = tuple(TaskEvent._field_defaults[field] for field in TaskEvent._fields[_NATIVE + 1 :])


class Previews(Protocol):
    """How values become text that may leave the process.

    `no_args` and `no_kwargs` are what empty ones become, None where that depends on the task.
    """

    no_args: Preview | None
    no_kwargs: Preview | None

    def args(self, task: str | None, args: Sequence[Any]) -> Preview | None: ...
    def kwargs(self, task: str | None, kwargs: Mapping[str, Any]) -> Preview | None: ...
    def value(self, task: str | None, value: object) -> Preview | None: ...
    def error(self, task: str | None, error: Any) -> tuple[str, Preview | None, Preview | None]: ...
    def headers(self, headers: Mapping[str, Any]) -> dict[str, str]: ...


class Source(NamedTuple):
    """Whose facts these are."""

    engine: str
    app: str


class Replayable(NamedTuple):
    """Where the original message is kept, until when (µs), and its digest."""

    until_us: int
    store: str
    digest: str


def blank_of(source: Source) -> list[Any]:
    """Positions 0 to 30 of an item that says nothing yet."""
    return [TAG_TASK, 0, 0, 0, source.engine, source.app, None, 0, 0, *[None] * 22]


def fill(parts: list[Any], event: TaskEvent, at_us: int, previews: Previews) -> None:
    """Write what an event says into positions 0 to 30; what it does not say stays.

    Spelled out field by field: this runs in the host's thread, where a loop over a table of
    positions and converters costs twice as much.
    """
    parts[1], parts[2] = numbers = _KINDS[event[0]]
    parts[3] = at_us
    if parts[6] is None:
        parts[6] = name(event[1])
        parts[8] = u16(event[2]) or 0
    _fill_names(parts, event)
    _fill_numbers(parts, event)
    args, kwargs, result, error = event[6:10]
    if args is not None and parts[22] is None:
        plain = previews.no_args if type(args) in _SEQUENCES and not args else None
        parts[22] = plain or previews.args(parts[9], args)
    if kwargs is not None and parts[23] is None:
        plain = previews.no_kwargs if type(kwargs) is dict and not kwargs else None
        parts[23] = plain or previews.kwargs(parts[9], kwargs)
    if numbers is _SUCCEEDED:
        parts[24] = previews.value(parts[9], result)
    elif error is not None:
        exc_type, parts[26], parts[27] = previews.error(parts[9], error)
        parts[25] = name(exc_type)


def _fill_names(parts: list[Any], event: TaskEvent) -> None:
    task, queue, worker = event[3:6]
    root_id, parent_id, group_id = event[18:21]
    if task is not None:
        parts[9] = task if type(task) is str and len(task) <= MAX_NAME else name(task)
    if queue is not None:
        parts[10] = queue if type(queue) is str and len(queue) <= MAX_NAME else name(queue)
    if worker is not None:
        parts[11] = worker if type(worker) is str and len(worker) <= MAX_NAME else name(worker)
    if root_id is not None:
        parts[28] = name(root_id)
    if parent_id is not None:
        parts[29] = name(parent_id)
    if group_id is not None:
        parts[30] = name(group_id)


def _fill_numbers(parts: list[Any], event: TaskEvent) -> None:
    tries_left, due_at, expires_at, priority, start, runtime_s, timeout_s, pid = event[10:18]
    parts[14] = us(due_at)  # of the next attempt, if this fact ends one
    if pid is not None:
        parts[12] = u32(pid)
    if start is not None:
        parts[15] = us(start)
    if runtime_s is not None:
        parts[17] = us(runtime_s)
    if expires_at is not None:
        parts[18] = us(expires_at)
    if priority is not None:
        parts[19] = i32(priority)
    if tries_left is not None:
        parts[20] = u16(tries_left)
    if timeout_s is not None:
        parts[21] = ms32(timeout_s)


def is_plain(event: TaskEvent) -> bool:
    """Whether an event says nothing that belongs behind position 30.

    The message behind it, `native`, is asked for where an end can be replayed.
    """
    if event[_NATIVE] is not None and event[0] in REPLAYED:
        return False
    return event[_HEAD] is None and event[_NATIVE + 1 :] == _PLAIN_REST


_BETWEEN = [None, 0, None, None, None, None, None, None, 0, None, None, None, None]
"""Positions 31 to 43 of an item that says nothing there."""


def since_received(parts: list[Any], received_us: int) -> list[Any]:
    """The positions up to 44 of a plain event that is the first to tell of its run."""
    return [*parts, *_BETWEEN, received_us]


def tail(
    event: TaskEvent,
    previews: Previews,
    *,
    origin: Origin | None = None,
    replay: Replayable | None = None,
    received_us: int | None = None,
) -> list[Any]:
    """Positions 31 to 44 of an item, if they say anything; `origin` is that of a new task."""
    born = event.kind in BORN
    _native, detail, flags, route, headers, tags, _fire, _schedule = event[-8:]
    retry_of, via, cmd_id, schedule, fire, _ = sent = _sent_by(event, origin, int(born))
    extra: dict[str, Any] = {}
    if detail is not None:
        extra["detail"] = str(detail)[:MAX_DETAIL]
    until = None
    if replay is not None:
        until = replay.until_us
        extra["replay"], extra["digest"] = replay.store, replay.digest
    shown = None if headers is None else previews.headers(headers)
    rest = (name(route), shown, _tags(tags), extra or None, received_us)
    if until is None and not flags and rest == _NOTHING and schedule is fire is None:
        return [retry_of, via, cmd_id] if born or retry_of is not None else []
    return [*sent, None, until, int(flags) & _U16, *rest]


_NOTHING = (None,) * 5


def _sent_by(event: TaskEvent, origin: Origin | None, via: int) -> tuple[Any, ...]:
    """Positions 31 to 36: what a run repeats, and who sent it: its own message, else we know it."""
    schedule: str | None = None
    fire: bytes | None = None
    if event.fire is not None and (found := read_mark(event.fire)) and found[0] == event.task_id:
        via, fire = BY_SCHEDULE, UUID(found[0]).bytes
    elif event.schedule is not None:
        via, schedule = BY_NATIVE, name(event.schedule)
    if origin is None:
        return (event.retry_of, via, None, schedule, fire, None)
    return (
        event.retry_of or origin.retry_of,
        origin.via,
        origin.cmd_id,
        origin.schedule or schedule,
        origin.fire_id or fire,
        origin.slot,
    )


def cut_to_size(item: Sequence[Any], pack: Callable[[Any], bytes], limit: int = MAX_ITEM) -> bytes:
    """The packed item, with parts dropped and previews cut until it fits."""
    parts = list(item)
    body = pack(parts)
    for position, cut in _CUTS:
        if len(body) <= limit:
            break
        if position < len(parts) and parts[position] is not None:
            parts[position] = cut(parts[position])
            body = pack(trimmed(parts))
    return body


def _drop(_value: Any) -> None:
    return None


def _cut(preview: Preview) -> Preview:
    flags, size, text = preview
    return (flags | PREVIEW_TRUNCATED, size, text[:200])


def _empty(preview: Preview) -> Preview:
    flags, size, _ = preview
    return (flags | PREVIEW_TRUNCATED, size, '"…"')


_CUTS: tuple[tuple[int, Callable[[Any], Any]], ...] = (
    (43, _drop),
    (41, _drop),
    (27, _cut),
    (24, _empty),
    (23, _empty),
    (22, _empty),
    (26, _cut),
    (42, _drop),
)


def worker_item(
    source: Source, at_us: int, worker: str, what: int, meta: Mapping[str, Any] | None = None
) -> Sequence[Any]:
    """A WORKER item: 1 online, 2 draining, 3 offline, 4 died."""
    return trimmed((TAG_WORKER, at_us, source.engine, source.app, name(worker), what, None, meta))


def lost_item(reason: int, count: int, at_us: int, states: Mapping[str, int]) -> tuple[Any, ...]:
    """A LOST item of facts that were never written."""
    return (TAG_LOST, reason, count, 0, None, at_us, dict(states))


def note_item(
    at_us: int, code: str, text: str, source: Source | None = None, *, is_over: bool = False
) -> tuple[Any, ...]:
    """A NOTE item: a warning, or that what was warned of is over; `source` is whom it is about."""
    level = INFO if is_over else WARNING
    return (TAG_NOTE, at_us, level, code, (0, len(text), text[:1000]), *(source or ()))


def name(text: Any) -> str | None:
    """A name of at most 256 characters: a longer one keeps 223 of them and its digest."""
    if text is None:
        return None
    plain: str = text if type(text) is str else str(text)
    if len(plain) <= MAX_NAME:
        return plain
    digest = hashlib.sha256(plain.encode("utf-8", "backslashreplace")).hexdigest()
    return f"{plain[:223]}#{digest[:32]}"


def us(seconds: float | None) -> int | None:
    """Microseconds of seconds since 1970."""
    return None if seconds is None or seconds < 0 else int(seconds * 1e6)


def ms32(seconds: float) -> int | None:
    """Milliseconds of seconds where they fit an unsigned 32-bit number, else None."""
    return u32(int(seconds * 1e3))


def u16(value: Any) -> int | None:
    """`value` where it fits an unsigned 16-bit number, else None."""
    return value if type(value) is int and 0 <= value <= _U16 else None


def u32(value: Any) -> int | None:
    """`value` where it fits an unsigned 32-bit number, else None."""
    return value if type(value) is int and 0 <= value <= _U32 else None


def i32(value: Any) -> int | None:
    """`value` where it fits a signed 32-bit number, else None."""
    return value if type(value) is int and -(1 << 31) <= value < 1 << 31 else None


def _tags(tags: Mapping[str, str] | None) -> dict[str, str] | None:
    if not tags:
        return None
    return {str(name(key)): str(name(value)) for key, value in list(tags.items())[:_MAX_MAP]}


def trimmed(parts: Sequence[Any]) -> Sequence[Any]:
    """The positions up to the last that says something."""
    end = len(parts)
    while parts[end - 1] is None:
        end -= 1
    return parts[:end]
