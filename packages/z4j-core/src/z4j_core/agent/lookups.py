"""Verbs that only look. The rule: redacted previews, in a bounded answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..model.tasks import Held, Page
from ..model.workers import Worker
from .items import Previews
from .verbs import Call, Done, Verb

MAX_PEEK = 20
MAX_EVIDENCE = 12 << 10


def held_row(held: Held, previews: Previews) -> dict[str, Any]:
    """A held task as shown: identity and previews, never its bytes."""
    args = previews.args(held.task, held.args) if held.args is not None else None
    kwargs = previews.kwargs(held.task, held.kwargs) if held.kwargs is not None else None
    enqueued = held.enqueued_at
    return {
        "id": held.task_id,
        "task": held.task,
        "queue": held.queue,
        "state": int(held.state),
        "args": args,
        "kwargs": kwargs,
        "opaque": held.opaque,
        "enqueued": None if enqueued is None else int(enqueued * 1e6),
    }


def _fetch(call: Call) -> Done:
    """What the engine still holds of one task."""
    return Done(evidence=held_row(call.engine.fetch(call.target), call.previews))


def _peek(call: Call) -> Done:
    return _page(call, call.engine.peek)


def _dead_letters(call: Call) -> Done:
    return _page(call, call.engine.dead_letters)


def _page(call: Call, read: Callable[..., Page]) -> Done:
    limit = min(int(call.params.get("limit", MAX_PEEK)), MAX_PEEK)
    page = read(call.target, limit, call.params.get("cursor"))
    rows = [held_row(held, call.previews) for held in page.items]
    return Done(evidence={"items": _within(rows), "cursor": page.cursor})


def _workers(call: Call) -> Done:
    """What broker or engine knows about workers."""
    workers: Iterable[Worker] = call.engine.workers()
    rows = [
        {"id": w.id, "pool": w.pool, "slots": w.slots, "busy": w.busy, "queues": list(w.queues)}
        for w in workers
    ]
    return Done(evidence={"workers": _within(rows)})


def _within(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept, spent = [], 0
    for row in rows:
        spent += len(repr(row))
        if spent > MAX_EVIDENCE:
            break
        kept.append(row)
    return kept


def _limit(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def _cursor(value: Any) -> bool:
    return value is None or isinstance(value, str)


_PAGED = {"limit": _limit, "cursor": _cursor}
LOOKUPS: Mapping[str, Verb] = {
    "fetch": Verb(_fetch, {}, read_only=True),
    "peek": Verb(_peek, _PAGED, about="queue", read_only=True),
    "dead_letters": Verb(_dead_letters, _PAGED, about="queue", read_only=True),
    "workers": Verb(_workers, {}, about="worker", read_only=True),
}
