"""The tasks of one project that one transaction touches. The rule: read once, fold, write once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import Connection, and_, update

from ..tasks.model import ref_of
from ..tasks.model import tasks as tasks_table
from . import rollups
from .finish import finish
from .fold import blank, fold, fold_progress
from .items import Progress
from .origins import pack_origin, unpack_origin
from .plan import ATT, ATTEMPT_SLOTS, COL, SLOTS, SRC
from .rollup import COUNTS, Rollup
from .rows import AttemptRow, Fields, Meta, TaskRow, Values
from .writer import ATTEMPT_ORIGIN, JSON_COLUMNS, ORIGIN, Writer

_ENGINE, _APP, _TASK_ID = SRC["engine"], SRC["app"], SRC["task_id"]
_RETRY_OF, _V, _ATTEMPT = COL["retry_of"], COL["v"], COL["attempt"]
_TASK = COL["task_id"]
_A_RUN, _A_ATTEMPT = ATT["run"], ATT["attempt"]
_AT, _RUN, _TRY, _STATE = SRC["at"], SRC["run"], SRC["attempt"], SRC["state"]

Name = tuple[str, str, str]


class TaskSet:
    """Rows by task, loaded, folded and written within one transaction."""

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id
        self.rows: dict[Name, TaskRow] = {}
        self.rollup = Rollup()
        self._touched: dict[str, TaskRow] = {}
        self._facts: dict[Name, list[tuple[Fields, Meta]]] = defaultdict(list)
        self._progress: dict[Name, list[Progress]] = defaultdict(list)

    @property
    def counters(self) -> dict[str, int]:
        """Attempts that started and ended, summed over the minutes of this transaction."""
        totals = [0] * 8
        for bucket in self.rollup.buckets.values():
            for index in range(8):
                totals[index] += bucket.counts[index]
        return {name: n for name, n in zip(COUNTS, totals, strict=False) if n}

    def versions(self) -> Iterator[tuple[str, int]]:
        """(ref, new version) of each row written."""
        return ((ref, row.values[_V]) for ref, row in self._touched.items())

    def task_ids(self) -> Iterator[str]:
        """The engines' ids of the rows written."""
        return (row.values[_TASK] for row in self._touched.values())

    def load(
        self,
        conn: Connection,
        writer: Writer,
        facts: Sequence[tuple[Fields, Meta]],
        progress: Sequence[Progress],
    ) -> None:
        """Read the rows these facts are about; what is not there starts blank."""
        for told in sorted(facts, key=_order):
            self._facts[told[0][_ENGINE : _TASK_ID + 1]].append(told)
        for item in progress:
            self._progress[item.engine, item.app, item.task_id].append(item)
        names = self._facts.keys() | self._progress.keys()
        by_ref = {ref_of(self.project_id, *name): name for name in names}
        for values in writer.load(conn, "tasks", list(by_ref)):
            self.rows[by_ref[values[0]]] = _opened(values)
        for ref, name in by_ref.items():
            if name not in self.rows:
                self.rows[name] = blank(ref, self.project_id, *name)
        tried = [
            row.values[0] for row in self.rows.values() if not row.new and row.values[_ATTEMPT]
        ]
        for values in writer.load(conn, "attempts", tried):
            origin = unpack_origin(values[ATTEMPT_ORIGIN], ATTEMPT_SLOTS)
            part = AttemptRow(values, origin, new=False)
            row = self.rows[by_ref[values[0]]]
            row.attempts[values[_A_RUN], values[_A_ATTEMPT]] = part

    def store(self, conn: Connection, writer: Writer) -> None:
        """Fold and write. New rows are folded while the database stores those before them."""
        new = [(name, row) for name, row in self.rows.items() if row.new]
        old = [(name, row) for name, row in self.rows.items() if not row.new]
        writer.insert(conn, "tasks", self._folded(new))
        writer.update(conn, "tasks", self._folded(old))
        parts = [
            part for row in self._touched.values() for part in row.attempts.values() if part.changed
        ]
        writer.insert(conn, "attempts", (_closed_attempt(part) for part in parts if part.new))
        writer.update(conn, "attempts", (_closed_attempt(part) for part in parts if not part.new))
        rollups.store(conn, self.project_id, self.rollup)
        self._link(conn)

    def _folded(self, rows: Iterable[tuple[Name, TaskRow]]) -> Iterator[Values]:
        """Apply the facts of each row, then what follows from them; the row as it is stored."""
        facts, progress = self._facts, self._progress
        for name, row in rows:
            if not row.new:
                self.rollup.add(row, -1)
            told = facts.get(name, ())
            for fact, meta in told:
                fold(row, fact, meta)
            changed = [
                fold_progress(row, item)
                for item in progress.get(name, ())
                if row.values[_V] or told
            ]
            if told or any(changed):
                self._touched[row.values[0]] = row
                finish(row)
            self.rollup.add(row, 1)
            if row.values[0] in self._touched:
                yield _closed(row)

    def _link(self, conn: Connection) -> None:
        for row in self._touched.values():
            values = row.values
            if values[_RETRY_OF] is None:
                continue
            old = ref_of(self.project_id, values[2], values[3], values[_RETRY_OF])
            table = tasks_table
            conn.execute(
                update(table)
                .where(and_(table.c.ref == old, table.c.retried_as.is_distinct_from(values[0])))
                .values(retried_as=values[0], v=table.c.v + 1)
            )


def _order(fact: tuple[Fields, Meta]) -> tuple[int, int, int]:
    """Facts of one transaction in the order they were stated; ties by attempt and rank."""
    fields = fact[0]
    return fields[_AT], fields[_TRY], fields[_STATE]


def _opened(values: Values) -> TaskRow:
    for column in JSON_COLUMNS:
        if values[column] is not None:
            values[column] = msgspec.json.decode(values[column])
    return TaskRow(values, unpack_origin(values[ORIGIN], SLOTS), new=False)


def _closed(row: TaskRow) -> Values:
    values = row.values.copy()
    for column in JSON_COLUMNS:
        if values[column] is not None:
            values[column] = msgspec.json.encode(values[column]).decode()
    values[ORIGIN] = pack_origin(row.origin)
    return values


def _closed_attempt(part: AttemptRow) -> Values:
    part.values[ATTEMPT_ORIGIN] = pack_origin(part.origin)
    return part.values
