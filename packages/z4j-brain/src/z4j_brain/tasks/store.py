"""Rows of tasks. The rule: every statement names the project, a limit, and has its index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    or_,
    select,
    tuple_,
)

from .model import attempts, rollup_minute, task_defs, tasks

SORTS = {
    "at": tasks.c.at,
    "started": tasks.c.started,
    "finished": tasks.c.finished,
    "wait": tasks.c.wait_us,
    "took": tasks.c.runtime_us,
    "attempt": tasks.c.attempt,
    "task": tasks.c.name,
    "queue": tasks.c.queue,
}
LISTED = [
    column for column in tasks.c if column.name not in ("search", "headers", "origin", "extra")
]
Clause = ColumnElement[bool]
Found = list[Any]


def page(
    conn: Connection, where: Clause, sort: str, *, descending: bool, after: list[Any] | None,
    limit: int,
) -> Found:  # fmt: skip
    """One page in the order of `sort`, ties by ref; what is unknown comes last."""
    column = SORTS[sort]
    if after is not None:
        where = and_(where, _after(column, *after, descending=descending))
    order = column.desc() if descending else column.asc()
    ref = tasks.c.ref.desc() if descending else tasks.c.ref.asc()
    if column.nullable:
        order = order.nulls_last()
    found = select(*LISTED).where(where).order_by(order, ref).limit(limit)
    return list(conn.execute(found).mappings())


def _after(column: Any, value: Any, ref: str, *, descending: bool) -> Clause:
    if not column.nullable:
        place = tuple_(column, tasks.c.ref)
        return place < (value, ref) if descending else place > (value, ref)
    behind = tasks.c.ref < ref if descending else tasks.c.ref > ref
    if value is None:
        return and_(column.is_(None), behind)
    beyond = column < value if descending else column > value
    return or_(beyond, and_(column == value, behind), column.is_(None))


def count(conn: Connection, where: Clause, most: int) -> int:
    """How many rows match; `most + 1` when there are more."""
    few = select(tasks.c.ref).where(where).limit(most + 1).subquery()
    return int(conn.execute(select(func.count()).select_from(few)).scalar_one())


def count_states(conn: Connection, where: Clause, most: int) -> dict[int, int]:
    """Matches by state, over the first `most` rows an index gives."""
    few = select(tasks.c.state).where(where).limit(most).subquery()
    found = conn.execute(select(few.c.state, func.count()).group_by(few.c.state))
    return {row[0]: row[1] for row in found}


def facet_rows(conn: Connection, where: Clause, most: int) -> list[Row[Any]]:
    """What facets are counted from: the newest `most` matches."""
    c = tasks.c
    found: Select[*tuple[Any, ...]] = select(
        c.state, c.engine, c.queue, c.worker, c.name, c.release
    ).where(where)
    return list(conn.execute(found.order_by(c.at.desc(), c.ref.desc()).limit(most)))


def buckets(conn: Connection, where: Clause, step_us: int, most: int) -> list[tuple[int, int, int]]:
    """(bucket, state, n) of the newest `most` matches; bucket = at // step."""
    few = (
        select(tasks.c.at, tasks.c.state)
        .where(where)
        .order_by(tasks.c.at.desc(), tasks.c.ref.desc())
        .limit(most)
        .subquery()
    )
    bucket = (few.c.at - few.c.at % step_us).label("bucket")
    found = select(bucket, few.c.state, func.count()).group_by(bucket, few.c.state)
    return [(at, state, n) for at, state, n in conn.execute(found)]


def newest_at(conn: Connection, where: Clause) -> int | None:
    """Time of the newest match."""
    found = select(tasks.c.at).where(where).order_by(tasks.c.at.desc(), tasks.c.ref.desc())
    return conn.execute(found.limit(1)).scalar()


def rows(conn: Connection, project_id: str, refs: Sequence[str]) -> Found:
    """Whole rows of these refs, in no order."""
    found = select(tasks).where(tasks.c.project_id == project_id, tasks.c.ref.in_(list(refs)))
    return list(conn.execute(found).mappings())


def one(conn: Connection, project_id: str, ref: str) -> Any:
    """One row, or None."""
    return next(iter(rows(conn, project_id, [ref])), None)


def attempts_of(conn: Connection, project_id: str, ref: str) -> Found:
    """Attempts in the order they ran."""
    found = select(attempts).where(attempts.c.ref == ref, attempts.c.project_id == project_id)
    order = (attempts.c.run, attempts.c.attempt)
    return list(conn.execute(found.order_by(*order).limit(200)).mappings())


def by_ids(conn: Connection, project_id: str, ids: Sequence[str], limit: int) -> Found:
    """Tasks of these ids, on whichever engine."""
    found = select(*LISTED).where(tasks.c.project_id == project_id, tasks.c.task_id.in_(ids))
    return list(conn.execute(found.limit(limit)).mappings())


def children(conn: Connection, project_id: str, ids: Sequence[str], limit: int) -> Found:
    """Tasks that name one of these as their parent, on whichever engine."""
    found = select(*LISTED).where(tasks.c.project_id == project_id, tasks.c.parent.in_(ids))
    return list(conn.execute(found.limit(limit)).mappings())


def family(conn: Connection, project_id: str, roots: Sequence[str], limit: int) -> Found:
    """Tasks of the workflows that began with these."""
    found = select(*LISTED).where(tasks.c.project_id == project_id, tasks.c.root.in_(roots))
    return list(conn.execute(found.limit(limit)).mappings())


def members(conn: Connection, project_id: str, groups: Sequence[str], limit: int) -> Found:
    """Tasks that were sent as these groups."""
    found = select(*LISTED).where(tasks.c.project_id == project_id, tasks.c.group_id.in_(groups))
    return list(conn.execute(found.limit(limit)).mappings())


def parameters(conn: Connection, project_id: str) -> dict[tuple[str, str], list[Any]]:
    """(engine, definition) to its parameters as stored."""
    found = select(task_defs.c.engine, task_defs.c.name, task_defs.c.params).where(
        task_defs.c.project_id == project_id, task_defs.c.params.is_not(None)
    )
    return {(row.engine, row.name): row.params for row in conn.execute(found.limit(5_000))}


def definition(conn: Connection, project_id: str, engine: str, name: str) -> Row[Any] | None:
    """A registered definition."""
    found = select(task_defs).where(
        task_defs.c.project_id == project_id, task_defs.c.engine == engine,
        task_defs.c.name == name,
    )  # fmt: skip
    return conn.execute(found.limit(1)).first()


def rollup(
    conn: Connection, project_id: str, from_us: int, to_us: int, step_us: int
) -> list[Row[Any]]:
    """Ends per bucket of the window, from the counts per minute."""
    r = rollup_minute.c
    minutes = max(step_us // 60_000_000, 1)
    bucket = (r.minute - r.minute % minutes).label("bucket")
    names = ("succeeded", "failed", "retried", "cancelled", "expired", "lost")
    sums = [func.sum(r[name]).label(name) for name in names]
    inside = r.minute.between(from_us // 60_000_000, to_us // 60_000_000)
    found = select(bucket, *sums).where(r.project_id == project_id, inside).group_by(bucket)
    return list(conn.execute(found))


def common(conn: Connection, where: Clause, column: str, most: int) -> list[tuple[str, int]]:
    """The most frequent values of a column among the newest `most` matches."""
    wanted = tasks.c[column]
    few = (
        select(wanted.label("value"))
        .where(where, wanted.is_not(None))
        .order_by(tasks.c.at.desc(), tasks.c.ref.desc())
        .limit(most)
        .subquery()
    )
    n = func.count().label("n")
    found = select(few.c.value, n).group_by(few.c.value).order_by(n.desc(), few.c.value)
    return [(value, total) for value, total in conn.execute(found.limit(50))]
