"""What a scheduler that runs by itself hears and tells. The rule: of runs the history speaks.

It sees no task: which runs of a schedule go on, and how they ended, agents have told the brain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select
from z4j_core.errors import LeaseLost, StoreUnavailable
from z4j_core.model.fires import Status, Why
from z4j_core.scheduler.fires import fire_id
from z4j_core.scheduler.lease import RunOf, Stand, group_of

from ..db import DRIVER_ERRORS, Database
from . import leases, slots, store, told
from .model import fires, schedules
from .store import Place

MOST_RUNS = 500
MOST_LINES = 500
_MS = 1000
_RUNNING = 3
_TELLABLE = frozenset(Status) - {Status.CLAIMED, Status.SENT, Status.SUPPRESSED}
"""What no agent can tell of."""
_KINDS = (int, str, int, int, int, int, int, int, int, int, int, str, int)


class Overseen(leases.BrainsOwn):
    """The store of a group that is fired centrally."""

    def __init__(self, db: Database, place: Place, boottime: Any) -> None:
        super().__init__(db, place, boottime)
        self._db, self._place = db, place

    def cursors(self) -> dict[str, Stand]:
        """How far schedules have come, and how their last runs ended."""
        found = super().cursors()
        with _reading(self._db) as conn:
            ends = {row.id: row for row in store.of_group(conn, self._place)}
        return {name: _ended(stand, ends.get(name)) for name, stand in found.items()}

    def running(self, schedule: str) -> list[RunOf]:
        """Runs that were placed and have not ended."""
        with _reading(self._db) as conn:
            row = store.one(conn, self._place.project_id, schedule)
            return [] if row is None or store.place_of(row) != self._place else _runs(conn, row.id)


@contextmanager
def _reading(db: Database) -> Iterator[Connection]:
    try:
        with db.reading() as conn:
            yield conn
    except DRIVER_ERRORS as error:
        raise StoreUnavailable("the brain's database does not answer") from error


def _ended(stand: Stand, row: Any) -> Stand:
    if row is None or row.last_ended_ms is None:
        return stand
    failures = row.consecutive_failures
    return stand._replace(failures=failures, last="failed" if failures else "success")


def _runs(conn: Connection, schedule_id: str) -> list[RunOf]:
    columns = (fires.c.fire_id, fires.c.sent, fires.c.state, fires.c.ended)
    newest = (
        select(*columns)
        .where(fires.c.schedule_id == schedule_id)
        .order_by(fires.c.slot_ms.desc())
        .limit(MOST_RUNS)
    )
    return [
        RunOf(row.fire_id, row.sent // _MS, row.sent // _MS, row.state == _RUNNING)
        for row in conn.execute(newest)
        if row.sent is not None and row.ended is None
    ]


def read_lines(place: Place, args: Sequence[Any]) -> tuple[str, int, list[told.Line]]:
    """Owner, epoch and lines of op 13.

    Raises:
        ValueError: this is more or other than a scheduler may tell.
    """
    if len(args) != 3 or not isinstance(args[2], (list, tuple)) or len(args[2]) > MOST_LINES:  # noqa: PLR2004 - as the text says
        raise ValueError("owner, epoch and up to 500 lines are told, and no more")
    owner, epoch, rows = args
    return owner, epoch, [_line(place, epoch, row) for row in rows]


def _line(place: Place, epoch: int, row: Any) -> told.Line:
    given: list[Any] = list(row) if isinstance(row, (list, tuple)) and row else [None]
    *known, reason = given
    if len(known) != len(_KINDS) or not all(map(_is_a, known, _KINDS)):
        raise ValueError("a line has 14 values")
    (at, schedule, generation, slot, status, why, revision, due, lag, enq, count, local,
     fold) = known  # fmt: skip
    if status not in _TELLABLE or why not in (Why.TIMER, Why.CATCHUP):
        raise ValueError("this is not for a scheduler to tell")
    if reason is not None and not isinstance(reason, str):
        raise ValueError("a reason is text")
    return told.Line(
        at * _MS, place.engine, place.app, schedule, generation, slot, "",
        fire_id(schedule, generation, slot), status, why, epoch, revision, due * _MS, lag,
        min(enq, 0xFFFF), count, local[:64], fold, None if reason is None else reason[:256], None,
    )  # fmt: skip


def _is_a(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or not isinstance(value, kind):
        return False
    return not isinstance(value, int) or abs(value) < slots.LARGEST


def owned(
    conn: Connection, place: Place, owner: str, epoch: int, lines: Iterable[told.Line]
) -> None:
    """See that whoever tells leads the group the lines are about.

    Raises:
        LeaseLost: somebody else does.
        ValueError: a schedule is of another group.
    """
    values = {"grp": group_of(*place), "owner": owner, "epoch": epoch}
    if not leases.over(conn).rows(slots.HELD, values):
        raise LeaseLost("somebody else leads this group")
    ids = {line.schedule for line in lines}
    query = select(schedules).where(schedules.c.id.in_(sorted(ids)))
    if any(store.place_of(row) != place for row in conn.execute(query)):
        raise ValueError("a schedule is of another group")
