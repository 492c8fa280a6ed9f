"""Fires as agents tell them. The rule: told twice is told once, and a status only moves forward.

What an agent says counts for schedules of its own project alone. A worker that dropped a second
copy knows no more than the fire's id: its line waits under no schedule until the others come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row, RowMapping, bindparam, insert, select, update
from z4j_core.scheduler.fires import fire_id as timed_id

from . import newest, timing
from .model import fires, schedules
from .unplaced import NOTED
from .written import days_off, definition_of

PAUSED = "paused: "
"""How a leader says that it has paused a schedule by its own rule."""
NOBODY = str(UUID(int=0))
_CLAIMED, _SENT, _MISSED = 1, 3, 5
_TIMED = frozenset({1, 3})
_CHUNK = 500
_SPAN = 10_001
_OF_LINE = (
    "engine", "app", "trigger", "reason", "actor", "slot_local", "fold", "due", "lag_ms", "epoch",
    "revision",
)  # fmt: skip

_OF_LEADER = frozenset({"slot_local", "fold", "due", "epoch"})


class Line(NamedTuple):
    """One line of the ledger: times µs but for the slot, ids as text."""

    at: int
    engine: str
    app: str
    schedule: str
    generation: int
    slot: int
    nonce: str
    fire_id: str
    status: int
    trigger: int
    epoch: int
    revision: int
    due: int
    lag_ms: int
    enq: int
    slots: int
    slot_local: str
    fold: int
    reason: str | None
    actor: str | None

    @property
    def row(self) -> dict[str, Any]:
        """Columns of a fire nobody told of yet."""
        return {name: getattr(self, name) for name in _OF_LINE} | {
            "schedule_id": self.schedule, "generation": self.generation, "slot_ms": self.slot,
            "nonce": self.nonce if self.schedule != NOBODY else self.fire_id,
            "count": self.slots, "fire_id": self.fire_id, "status": self.status, "enq": self.enq,
            "claimed": self.at if self.status == _CLAIMED else None,
            "sent": self.at if self.status == _SENT else None,
        }  # fmt: skip


@dataclass(slots=True)
class Told:
    """What a transaction changed: fires by id, schedules by id, and those a leader paused."""

    fires: set[str] = field(default_factory=set)
    schedules: set[str] = field(default_factory=set)
    paused: dict[str, str] = field(default_factory=dict)


def tell(conn: Connection, project_id: str, lines: Sequence[Line]) -> Told:
    """Store lines of the ledger in their order."""
    told = Told()
    owned = _schedules(conn, {line.schedule for line in lines})
    mine = [line for line in lines if _is_ours(line, owned, project_id)]
    known = _known(conn, project_id, {line.fire_id for line in mine})
    new: dict[str, dict[str, Any]] = {}
    old: dict[str, dict[str, Any]] = {}
    gains: dict[str, int] = {}
    for line in mine:
        told.fires.add(line.fire_id)
        row = new.get(line.fire_id) or old.get(line.fire_id)
        if row is None and line.fire_id in known:
            row = old[line.fire_id] = dict(known[line.fire_id])
        was_sent = row is not None and row["sent"] is not None
        if row is None:
            row = new[line.fire_id] = {"project_id": project_id} | line.row
        else:
            _merge(row, line)
        if row["sent"] is not None and not was_sent:
            gains[row["schedule_id"]] = gains.get(row["schedule_id"], 0) + 1
    _store(conn, project_id, new, old)
    for schedule_id in {line.schedule for line in mine} & owned.keys():
        its = [line for line in mine if line.schedule == schedule_id]
        _advance(conn, owned[schedule_id], its, gains.get(schedule_id, 0))
        told.schedules.add(schedule_id)
        for line in its:
            if line.reason and line.reason.startswith(PAUSED) and not owned[schedule_id].paused:
                told.paused[schedule_id] = line.reason
    newest.keep(conn, {row["schedule_id"] for row in (*new.values(), *old.values())} - {NOBODY})
    return told


def _schedules(conn: Connection, ids: set[str]) -> dict[str, Row[Any]]:
    query = select(schedules).where(schedules.c.id.in_(sorted(ids - {NOBODY})))
    return {row.id: row for row in conn.execute(query.order_by(schedules.c.id).with_for_update())}


def _is_ours(line: Line, owned: Mapping[str, Row[Any]], project_id: str) -> bool:
    """Whether an agent of this project may say this; deleted schedules are still told of."""
    row = owned.get(line.schedule)
    if row is not None and row.project_id != project_id:
        return False
    if line.trigger not in _TIMED or line.schedule == NOBODY or line.nonce:
        return True
    return line.fire_id == timed_id(line.schedule, line.generation, line.slot)


def _known(conn: Connection, project_id: str, ids: set[str]) -> dict[str, RowMapping]:
    found: dict[str, RowMapping] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _CHUNK):
        query = select(fires).where(
            fires.c.project_id == project_id, fires.c.fire_id.in_(wanted[start : start + _CHUNK])
        )
        found |= {row["fire_id"]: row for row in conn.execute(query).mappings()}
    return found


def _merge(row: dict[str, Any], line: Line) -> None:
    """One more line about a fire: what is newer wins, and who knows only the id adds that."""
    if row["enq"] == NOTED:
        row["status"] = 0
    if line.status == _CLAIMED and row["claimed"] is None:
        row["claimed"] = line.at
    if line.status == _SENT and row["sent"] is None:
        row["sent"] = line.at
    row["enq"] = max(row["enq"], line.enq)
    is_known = line.schedule != NOBODY
    if is_known and row["schedule_id"] == NOBODY:
        first = {name: value for name, value in line.row.items() if name not in ("status", "enq")}
        row.update({name: value for name, value in first.items() if value is not None})
    if line.status > row["status"]:
        row["status"] = line.status
        if is_known:
            row.update({name: getattr(line, name) for name in _known_of(line)})
            row["count"] = line.slots
        elif line.reason:
            row["reason"] = line.reason


def _known_of(line: Line) -> Iterable[str]:
    """What a line says: who fires by command knows neither the epoch nor the local time."""
    return _OF_LINE if line.epoch else [name for name in _OF_LINE if name not in _OF_LEADER]


def _store(
    conn: Connection, project_id: str, new: Mapping[str, Any], old: Mapping[str, Any]
) -> None:
    taken = _taken(conn, new.values())
    rows = [row for row in new.values() if _place(row) not in taken]
    names = sorted({name for row in rows for name in row})
    if rows:
        conn.execute(insert(fires), [{name: row.get(name) for name in names} for row in rows])
    kept = ("project_id", "fire_id", "state", "ended")
    changed = [column.name for column in fires.columns if column.name not in kept]
    if old:
        conn.execute(
            update(fires)
            .where(fires.c.project_id == bindparam("p"), fires.c.fire_id == bindparam("f"))
            .values({name: bindparam(f"new_{name}") for name in changed}),
            [
                {"p": project_id, "f": row["fire_id"]} | {f"new_{n}": row[n] for n in changed}
                for row in old.values()
            ],
        )


def _place(row: Any) -> tuple[Any, ...]:
    return row["schedule_id"], row["generation"], row["slot_ms"], row["nonce"]


def _taken(conn: Connection, rows: Iterable[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    """Slots that another fire has, which only a liar or a change of rules can bring about."""
    found: set[tuple[Any, ...]] = set()
    for row in rows:
        schedule_id, generation, slot_ms, nonce = _place(row)
        query = select(fires.c.fire_id).where(
            fires.c.schedule_id == schedule_id, fires.c.generation == generation,
            fires.c.slot_ms == slot_ms, fires.c.nonce == nonce,
        )  # fmt: skip
        if conn.execute(query).first() is not None:
            found.add(_place(row))
    return found


def _advance(conn: Connection, row: Row[Any], lines: Sequence[Line], gained: int) -> None:
    """How far a schedule has come by these lines."""
    values: dict[str, Any] = {}
    timed = [line for line in lines if line.trigger in _TIMED]
    newest = max(timed, key=lambda line: (line.generation, line.slot), default=None)
    if newest is not None:
        stand = (newest.generation, _end(conn, row, newest))
        if row.last_slot_ms is None or stand > (row.last_generation, row.last_slot_ms):
            values |= {"last_generation": stand[0], "last_slot_ms": stand[1]}
            values["last_fire_id"] = newest.fire_id
    if gained:
        values["fires_total"] = schedules.c.fires_total + gained
    if row.silent:
        values |= {"silent": None, "watch_ms": 0}
    if values:
        conn.execute(update(schedules).where(schedules.c.id == row.id).values(**values))


def _end(conn: Connection, row: Row[Any], line: Line) -> int:
    """The last slot a line is about: one row stands for all that were missed in a row."""
    if line.status != _MISSED or line.slots <= 1 or line.generation != row.generation:
        return line.slot
    trigger = timing.trigger_of(row, days_off(conn, row.project_id))
    if trigger is None:
        return line.slot
    slots = trigger.between(line.slot - 1, line.at // 1000, min(line.slots, _SPAN))
    grace_ms = definition_of(row).rules.grace_s * 1000
    return max([line.slot, *(s.at_ms for s in slots if s.at_ms <= line.at // 1000 - grace_ms)])
