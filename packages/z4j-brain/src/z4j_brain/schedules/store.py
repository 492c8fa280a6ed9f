"""Rows of schedules, their groups and revisions. The rule: a group's revision rises with its lock.

Who raises it holds the group until the commit: two edits of one group are one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from ..db.upsert import upsert
from .model import calendars, schedule_groups, schedule_revisions, schedules, schedules_gone

RECENT = 200
CLOSED = 2_000
DELTAS = 256
"""How many revisions back a group can tell what changed."""


class Place(NamedTuple):
    """A group: one engine on one broker of one project."""

    project_id: str
    engine: str
    app: str


def in_group(place: Place) -> ColumnElement[bool]:
    """Schedules of a group."""
    return _in_group(schedules, place)


def _in_group(table: Any, place: Place) -> ColumnElement[bool]:
    return and_(
        table.c.project_id == place.project_id,
        table.c.engine == place.engine,
        table.c.app == place.app,
    )


def place_of(row: Any) -> Place:
    """The group of a schedule's row."""
    return Place(row.project_id, row.engine, row.app)


def raise_group(conn: Connection, place: Place) -> int:
    """The next revision of a group, which stays locked until the commit."""
    upsert(conn, schedule_groups, [place._asdict()])
    raised = (
        update(schedule_groups)
        .where(_in_group(schedule_groups, place))
        .values(revision=schedule_groups.c.revision + 1)
        .returning(schedule_groups.c.revision)
    )
    return int(conn.execute(raised).scalar_one())


def group(conn: Connection, place: Place) -> Row[Any] | None:
    """What is known of a group."""
    return conn.execute(select(schedule_groups).where(_in_group(schedule_groups, place))).first()


def groups(conn: Connection, project_id: str) -> list[Row[Any]]:
    """Groups of a project that ever had a schedule."""
    table = schedule_groups
    query = select(table).where(table.c.project_id == project_id)
    return list(conn.execute(query.order_by(table.c.engine, table.c.app)))


def change_group(conn: Connection, place: Place, **values: Any) -> None:
    """Change what is known of a group."""
    conn.execute(update(schedule_groups).where(_in_group(schedule_groups, place)).values(**values))


def add(conn: Connection, row: Mapping[str, Any]) -> None:
    """Store a new schedule."""
    conn.execute(insert(schedules).values(**row))


def one(
    conn: Connection, project_id: str, schedule_id: str, *, lock: bool = False
) -> Row[Any] | None:
    """A schedule of a project."""
    query = select(schedules).where(
        schedules.c.project_id == project_id, schedules.c.id == schedule_id
    )
    return conn.execute(query.with_for_update() if lock else query).first()


def named(conn: Connection, place: Place, name: str) -> Row[Any] | None:
    """The schedule of a group with this name."""
    query = select(schedules).where(_in_group(schedules, place), schedules.c.name == name)
    return conn.execute(query).first()


def change(conn: Connection, schedule_id: str, **values: Any) -> None:
    """Change a schedule."""
    conn.execute(update(schedules).where(schedules.c.id == schedule_id).values(**values))


def remove(conn: Connection, row: Row[Any], revision: int) -> None:
    """Delete a schedule and leave word of it for those who hold it; its fires stay."""
    conn.execute(delete(schedules).where(schedules.c.id == row.id))
    gone = place_of(row)._asdict() | {"revision": revision, "schedule_id": row.id}
    conn.execute(insert(schedules_gone).values(**gone))
    old = and_(
        _in_group(schedules_gone, place_of(row)), schedules_gone.c.revision < revision - DELTAS
    )
    conn.execute(delete(schedules_gone).where(old))


def page(
    conn: Connection, where: ColumnElement[bool], after: tuple[str, str] | None, limit: int
) -> list[Row[Any]]:
    """Schedules by name."""
    query = select(schedules).where(where)
    if after is not None:
        name, schedule_id = after
        later = (schedules.c.name > name) | and_(
            schedules.c.name == name, schedules.c.id > schedule_id
        )
        query = query.where(later)
    return list(conn.execute(query.order_by(schedules.c.name, schedules.c.id).limit(limit)))


def some(conn: Connection, project_id: str, ids: Sequence[str]) -> list[Row[Any]]:
    """Those of some schedules that exist."""
    own = schedules.c.project_id == project_id
    return list(conn.execute(select(schedules).where(own, schedules.c.id.in_(ids))))


def recent(conn: Connection, project_id: str, since_us: int) -> list[Row[Any]]:
    """Schedules edited since, and those that are silent; a few hundred at most."""
    query = select(schedules).where(
        schedules.c.project_id == project_id,
        (schedules.c.updated >= since_us) | schedules.c.silent.is_not(None),
    )
    return list(conn.execute(query.order_by(schedules.c.updated.desc()).limit(RECENT)))


def how_many(conn: Connection, where: ColumnElement[bool]) -> int:
    """How many schedules match."""
    return int(conn.execute(select(func.count()).select_from(schedules).where(where)).scalar_one())


def by_group(conn: Connection, project_id: str) -> dict[tuple[str, str], int]:
    """How many schedules each group of a project has, by engine and app."""
    columns = schedules.c.engine, schedules.c.app
    query = select(*columns, func.count()).where(schedules.c.project_id == project_id)
    return {(engine, app): n for engine, app, n in conn.execute(query.group_by(*columns))}


def owned(conn: Connection, project_id: str, owner: str) -> list[Row[Any]]:
    """Schedules of one owner."""
    query = select(schedules).where(
        schedules.c.project_id == project_id, schedules.c.owner == owner
    )
    return list(conn.execute(query.order_by(schedules.c.name, schedules.c.id)))


def declared(project_id: str) -> ColumnElement[bool]:
    """Schedules that a file declares."""
    return and_(schedules.c.project_id == project_id, schedules.c.declared.is_not(None))


def of_group(conn: Connection, place: Place, above: int = 0) -> list[Row[Any]]:
    """Schedules of a group changed after a revision, by id."""
    query = select(schedules).where(_in_group(schedules, place), schedules.c.revision > above)
    return list(conn.execute(query.order_by(schedules.c.id)))


def gone(conn: Connection, place: Place, above: int) -> list[tuple[str, int]]:
    """Schedules deleted from a group after a revision, with the revision that took each away."""
    query = select(schedules_gone.c.schedule_id, schedules_gone.c.revision).where(
        _in_group(schedules_gone, place), schedules_gone.c.revision > above
    )
    return [(row.schedule_id, row.revision) for row in conn.execute(query)]


def last_slots(conn: Connection, place: Place) -> list[tuple[str, int, int]]:
    """(schedule, generation, slot) of the newest slot told of each schedule of a group."""
    columns = (schedules.c.id, schedules.c.last_generation, schedules.c.last_slot_ms)
    query = select(*columns).where(
        _in_group(schedules, place), schedules.c.last_slot_ms.is_not(None)
    )
    return [(row.id, row.last_generation, row.last_slot_ms) for row in conn.execute(query)]


def add_revision(conn: Connection, row: Mapping[str, Any]) -> None:
    """Keep what a schedule was at a revision."""
    conn.execute(insert(schedule_revisions).values(**row))


def revision(conn: Connection, schedule_id: str, number: int) -> Row[Any] | None:
    """One revision of a schedule."""
    table = schedule_revisions
    query = select(table).where(table.c.schedule_id == schedule_id, table.c.revision == number)
    return conn.execute(query).first()


def revision_at(conn: Connection, schedule_id: str, number: int) -> Row[Any] | None:
    """What a schedule was when its group stood at a revision."""
    table = schedule_revisions
    query = select(table).where(table.c.schedule_id == schedule_id, table.c.revision <= number)
    return conn.execute(query.order_by(table.c.revision.desc()).limit(1)).first()


def revisions(conn: Connection, schedule_id: str, limit: int) -> list[Row[Any]]:
    """Revisions of a schedule, newest first."""
    table = schedule_revisions
    query = select(table).where(table.c.schedule_id == schedule_id)
    return list(conn.execute(query.order_by(table.c.revision.desc()).limit(limit)))


def calendars_of(conn: Connection, project_id: str) -> list[Row[Any]]:
    """Calendars of a project, by name."""
    query = select(calendars).where(calendars.c.project_id == project_id)
    return list(conn.execute(query.order_by(calendars.c.name)))


def put_calendar(conn: Connection, row: Mapping[str, Any]) -> None:
    """Store a calendar."""
    upsert(conn, calendars, [row])


def drop_calendar(conn: Connection, project_id: str, name: str) -> bool:
    """Delete a calendar; whether there was one."""
    where = and_(calendars.c.project_id == project_id, calendars.c.name == name)
    return conn.execute(delete(calendars).where(where)).rowcount == 1


def using_calendars(conn: Connection, project_id: str) -> Sequence[Row[Any]]:
    """Schedules whose document names a calendar."""
    query = select(schedules).where(
        schedules.c.project_id == project_id, schedules.c.document.contains('"calendars":[{')
    )
    return list(conn.execute(query.order_by(schedules.c.id).with_for_update()))


def with_closings(conn: Connection, project_id: str) -> list[Row[Any]]:
    """Schedules whose document names a calendar or a window, by name; `CLOSED` at most."""
    document = schedules.c.document
    query = select(schedules).where(
        schedules.c.project_id == project_id,
        document.contains('"calendars":[{') | document.contains('"blackouts":[{'),
    )
    return list(conn.execute(query.order_by(schedules.c.name, schedules.c.id).limit(CLOSED)))
