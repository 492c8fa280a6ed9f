"""All waiting batches in one transaction. The rule: rows and watermark commit together, or not.

A batch of an older epoch or with a gap is answered with its code and changes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import starmap

import msgspec
from sqlalchemy import Connection

from ..commands.results import Answer, apply_results
from ..schedules import unplaced
from . import inventory, ledger
from .batch import Batch, Gap, fresh
from .commit import Changed, ProjectChange
from .fires import store_fires
from .items import Fire, Item, Lost, Note, Poison, Progress, Result, Task, Unknown, Worker, opened
from .ledger import Streams
from .rows import Fields, Meta
from .tasks import TaskSet
from .writer import Writer

SUPERSEDED, GAP = 4409, 4410
_REFUSED = 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch is answered with: the watermark, or a close code."""

    upto: int
    code: int = 0


@dataclass(slots=True)
class ProjectWork:
    """Everything new of one project in this transaction."""

    facts: list[tuple[Fields, Meta]] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    results: list[Answer] = field(default_factory=list)
    workers: list[tuple[Worker, str, Meta]] = field(default_factory=list)
    notes: list[tuple[Note, str]] = field(default_factory=list)
    fires: list[tuple[Fire, str]] = field(default_factory=list)
    lost: Counter[int] = field(default_factory=Counter)


def apply(
    conn: Connection, writer: Writer, batches: Sequence[Batch], now_us: int
) -> tuple[list[Outcome], tuple[ProjectChange, ...]]:
    """Store what is new in `batches`; returns one outcome per batch and what changed."""
    writer.lock(conn, {batch.project_id for batch in batches})
    streams = ledger.load(conn, batches)
    work: dict[str, ProjectWork] = defaultdict(ProjectWork)
    outcomes = [_take(batch, streams, work[batch.project_id]) for batch in batches]
    changes = tuple(
        _store(conn, writer, project_id, part, now_us) for project_id, part in work.items()
    )
    ledger.store(conn, streams, now_us)
    return outcomes, changes


def _take(batch: Batch, streams: Streams, work: ProjectWork) -> Outcome:
    position = streams.position(batch)
    if batch.epoch < position.epoch:
        return Outcome(position.watermark, SUPERSEDED)
    try:
        new = fresh(batch, position.watermark)
    except Gap:
        return Outcome(position.watermark, GAP)
    position.epoch, position.watermark = batch.epoch, new.upto
    for offset, item in new.items:
        if type(item) is Task:
            work.facts.append((msgspec.structs.astuple(item), batch.meta))
            position.stored += 1
        else:
            _take_rare(batch, offset, item, streams, work)
    return Outcome(new.upto)


def _take_rare(batch: Batch, offset: int, item: Item, streams: Streams, work: ProjectWork) -> None:
    position = streams.position(batch)
    if isinstance(item, Lost):
        position.lost += item.n
        work.lost[item.reason] += item.n
        return
    if isinstance(item, Poison):
        position.lost += 1
        work.lost[_REFUSED] += 1
        streams.quarantine(batch, offset, item)
        return
    position.stored += 1
    if isinstance(item, Unknown):
        position.unknown += 1
    else:
        _keep(batch, item, work)


def _keep(batch: Batch, item: Item, work: ProjectWork) -> None:
    if isinstance(item, Progress):
        work.progress.append(item)
    elif isinstance(item, Result):
        work.results.append(_answer(item, batch.stream))
    elif isinstance(item, Fire):
        work.fires.append((item, batch.stream))
    elif isinstance(item, Worker):
        work.workers.append((item, batch.stream, batch.meta))
    elif isinstance(item, Note):
        work.notes.append((item, batch.stream))


def _answer(item: Result, stream: str) -> Answer:
    return Answer(
        cmd_id=item.cmd_id.hex(),
        stream=stream,
        at_us=item.at,
        state=item.state,
        code=item.code,
        detail=item.detail,
        evidence=opened(item.evidence),
        targets=tuple((t.index, t.code, t.new_id, t.detail) for t in item.targets or ()),
        rule=item.rule,
        took_ms=item.took_ms,
    )


def _store(
    conn: Connection, writer: Writer, project_id: str, work: ProjectWork, now_us: int
) -> ProjectChange:
    tasks = TaskSet(project_id)
    if work.facts or work.progress:
        tasks.load(conn, writer, work.facts, work.progress)
        tasks.store(conn, writer)
    if work.workers:
        inventory.worker_facts(conn, project_id, work.workers, now_us)
    if work.notes:
        ledger.store_notes(conn, project_id, work.notes)
    if work.lost:
        ledger.store_lost(conn, project_id, work.lost, now_us)
    schedules, linked = store_fires(conn, project_id, work.fires, tasks.task_ids(), now_us)
    commands: Iterable[str] = ()
    bulks: Iterable[str] = ()
    if work.results:
        commands, bulks = apply_results(conn, project_id, work.results, now_us)
        schedules |= unplaced.note(conn, commands, now_us).get(project_id, set())
    return ProjectChange(
        project_id,
        changed=(*starmap(Changed, tasks.versions()), *(Changed(ref, 0) for ref in linked)),
        counters=tasks.counters,
        commands=tuple(commands),
        bulks=tuple(bulks),
        workers=bool(work.workers),
        schedules=tuple(sorted(schedules)),
    )
