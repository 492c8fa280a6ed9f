"""What this process knows about tasks, queues and workers, as pages of rows.

The rule: nil means "this engine cannot tell", never 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..clock import Clock
from ..engine import Engine, KnowsQueues, capabilities
from ..invoke import Answering, invoke
from ..model.commands import Capability
from ..model.tasks import TaskDef
from ..model.workers import Queue, QueueDepth, Worker
from .boundary import Emitter, pack
from .items import Source, name

TASKS, QUEUES, WORKERS, DECLARED = 1, 2, 3, 5
MAX_PAGE_BYTES = 192 << 10
MAX_PAGES = 64
MAX_DOC = 500
MAX_QUEUES = 200
_ASK_S = 2.0
_SHAPES = {"fifo": 0, "priority": 1, "stream": 2, "delay": 3, "dead": 4}
Row = list[Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All rows of one kind of one engine."""

    kind: int
    source: Source
    rows: tuple[Row, ...]
    hash: bytes

    def pages(self) -> list[list[Any]]:
        """Bodies of SNAPSHOT records, each within the size of a page."""
        pages: list[list[Row]] = [[]]
        spent = 0
        for row in self.rows:
            size = len(pack(row))
            if spent + size > MAX_PAGE_BYTES and pages[-1] and len(pages) < MAX_PAGES:
                pages.append([])
                spent = 0
            pages[-1].append(row)
            spent += size
        head = [self.kind, self.source.engine, self.source.app, self.hash]
        return [[*head, number, len(pages), rows] for number, rows in enumerate(pages)]


def snapshot(kind: int, source: Source, rows: Iterable[Row]) -> Snapshot:
    """A snapshot with its rows in order and its hash."""
    ordered = tuple(sorted(rows, key=lambda row: str(row[0])))
    digest = hashlib.sha256(pack(list(ordered))).digest()[:8]
    return Snapshot(kind, source, ordered, digest)


def of_tasks(emitter: Emitter, tasks: Iterable[TaskDef]) -> Snapshot:
    """Kind 1: registered tasks."""
    return snapshot(TASKS, emitter.source, [_task_row(task) for task in tasks])


def of_queues(emitter: Emitter, clock: Clock) -> Snapshot:
    """Kind 2: queues with their depth; asks the broker."""
    engine = emitter.engine
    if not isinstance(engine, KnowsQueues):
        return snapshot(QUEUES, emitter.source, [])
    ask = Answering(engine).queues
    outcome = invoke(lambda: list(ask())[:MAX_QUEUES], timeout_s=_ASK_S)
    queues: list[Queue] = outcome.value if outcome.ok else []
    can_count = Capability.DEPTH in capabilities(engine)
    rows = []
    for queue in queues:
        depth = queue.depth or (_depth(engine, queue.name) if can_count else None)
        closed = emitter.gate(queue.name).closed if queue.paused is None else queue.paused
        rows.append(_queue_row(queue, depth, clock.wall_us(), paused=closed))
    return snapshot(QUEUES, emitter.source, rows)


def of_workers(emitter: Emitter) -> Snapshot:
    """Kind 3: workers of this process, fresher where the engine can tell."""
    workers = dict(emitter.workers)
    ask = getattr(Answering(emitter.engine), "workers", None)
    if workers and ask is not None:
        outcome = invoke(lambda: list(ask()), timeout_s=_ASK_S)
        workers |= {worker.id: _dated(worker, workers) for worker in outcome.value or ()}
    return snapshot(WORKERS, emitter.source, [_worker_row(w) for w in workers.values()])


def _dated(worker: Worker, known: Mapping[str, Worker]) -> Worker:
    """A worker with since when it is up, also where its engine does not keep that."""
    before = known.get(worker.id)
    if worker.started_at is not None or before is None:
        return worker
    return replace(worker, started_at=before.started_at)


def _depth(engine: Engine, queue: str) -> QueueDepth | None:
    ask = getattr(Answering(engine), Capability.DEPTH)
    outcome = invoke(lambda: ask(queue), timeout_s=_ASK_S)
    return outcome.value if outcome.ok else None


def _task_row(task: TaskDef) -> Row:
    signature = [
        [name(p.name), int(p.kind), bool(p.has_default), name(p.default), name(p.annotation)]
        for p in task.params
    ]
    options = {str(name(k)): name(v) for k, v in list(task.options.items())[:32]}
    timeout_ms = None if task.timeout_s is None else int(task.timeout_s * 1000)
    return [
        name(task.name), name(task.module) or "", (task.doc or "")[:MAX_DOC], signature,
        name(task.source), name(task.queue), options, 0, task.max_retries, timeout_ms, None,
    ]  # fmt: skip


def _queue_row(queue: Queue, depth: QueueDepth | None, now_us: int, *, paused: bool | None) -> Row:
    known = depth or QueueDepth(None)
    oldest = None if known.oldest_s is None else now_us - int(known.oldest_s * 1e6)
    return [
        name(queue.name), _SHAPES.get(queue.shape, 0), known.ready, known.delayed, known.unacked,
        known.dead, oldest, known.consumers, paused, None, 0, now_us,
    ]  # fmt: skip


def _worker_row(worker: Worker) -> Row:
    children = [[c.pid, c.rss_kb, name(c.task_id)] for c in worker.children[:256]]
    started = None if worker.started_at is None else int(worker.started_at * 1e6)
    return [
        name(worker.id), worker.pool, worker.slots, worker.busy,
        [name(task_id) for task_id in worker.running[:100]], children,
        [name(queue) for queue in worker.queues], worker.processed, started,
        {str(k): str(v) for k, v in worker.versions.items()},
        {str(k): name(v) for k, v in worker.config.items()},
    ]  # fmt: skip
