"""Rows of bulks and their items. The rule: the targets are frozen once, at the preview."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    String,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.sql.expression import cast

from ..tasks.model import tasks
from .actions import Action
from .model import bulk_items, bulks, commands

OPEN_COMMANDS = ("ready", "sent", "accepted")
Pair = tuple[str, str]


def add_bulk(conn: Connection, row: Mapping[str, Any]) -> None:
    """Store a bulk."""
    conn.execute(insert(bulks).values(**row))


def bulk(conn: Connection, project_id: str, bulk_id: str) -> Row[Any] | None:
    """One bulk of a project."""
    return conn.execute(
        select(bulks).where(bulks.c.project_id == project_id, bulks.c.id == bulk_id)
    ).first()


def bulk_of_key(conn: Connection, project_id: str, key: str) -> Row[Any] | None:
    """The bulk that was confirmed under an idempotency key."""
    return conn.execute(
        select(bulks).where(bulks.c.project_id == project_id, bulks.c.idempotency_key == key)
    ).first()


def bulk_list(
    conn: Connection, project_id: str, before: tuple[int, str] | None, limit: int
) -> list[Row[Any]]:
    """Confirmed bulks, newest first, older than `before` (created, id)."""
    query = select(bulks).where(bulks.c.project_id == project_id, bulks.c.state != "preview")
    if before is not None:
        at, bulk_id = before
        older = (bulks.c.created < at) | and_(bulks.c.created == at, bulks.c.id < bulk_id)
        query = query.where(older)
    query = query.order_by(bulks.c.created.desc(), bulks.c.id.desc()).limit(limit)
    return list(conn.execute(query))


def change_bulk(conn: Connection, bulk_id: str, states: Iterable[str], **values: object) -> bool:
    """Change a bulk if it is in one of `states`; whether it was. Decides races."""
    changed = conn.execute(
        update(bulks)
        .where(bulks.c.id == bulk_id, bulks.c.state.in_(tuple(states)))
        .values(v=bulks.c.v + 1, **values)
    )
    return changed.rowcount == 1


def freeze(
    conn: Connection,
    bulk_id: str,
    where: ColumnElement[bool],
    code: ColumnElement[str],
    most: int,
) -> int:
    """Write the tasks of `where` as items, newest first; items with a `code` are skipped.

    Returns how many; `most` + 1 means there are more.
    """
    number = func.row_number().over(order_by=(tasks.c.at.desc(), tasks.c.ref)) - 1
    state = case((code.is_(None), literal("held")), else_=literal("skipped"))
    found = (
        select(
            literal(bulk_id), number, tasks.c.ref, tasks.c.engine, tasks.c.app,
            tasks.c.task_id, state, code,
        )
        .where(where)
        .order_by(tasks.c.at.desc(), tasks.c.ref)
        .limit(most + 1)
    )  # fmt: skip
    names = ["bulk_id", "idx", "ref", "engine", "app", "task_id", "state", "code"]
    conn.execute(insert(bulk_items).from_select(names, found))
    total = select(func.count()).where(bulk_items.c.bulk_id == bulk_id)
    return int(conn.execute(total).scalar_one())


def skip_code(
    action: Action, able: Sequence[Pair], gaps: Mapping[str, Sequence[Pair]], now_us: int
) -> ColumnElement[str]:
    """Why a task is left out, as an SQL expression; NULL when it is not.

    `able`: (engine, app) that can do it; `gaps`: code to the (engine, app) that cannot.
    """
    place = tasks.c.engine + "\n" + tasks.c.app
    whens: list[tuple[ColumnElement[bool], ColumnElement[str]]] = [
        (tasks.c.state.notin_([int(state) for state in action.states]),
         literal("task.state_changed")),
    ]  # fmt: skip
    for code, pairs in gaps.items():
        whens.append((place.in_(["\n".join(pair) for pair in pairs]), literal(code)))
    whens.append((place.notin_(["\n".join(pair) for pair in able]), literal("agent.none")))
    if action.needs_record:
        whens.append((tasks.c.replayable_until.is_(None), literal("replay.missing")))
        whens.append((tasks.c.replayable_until < now_us, literal("replay.expired")))
    return case(*whens, else_=cast(null(), String))


def add_items(conn: Connection, bulk_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write items that are no tasks: queues, workers, definitions."""
    conn.execute(
        insert(bulk_items),
        [{"bulk_id": bulk_id, "idx": idx, "code": None, **row} for idx, row in enumerate(rows)],
    )


def drop(conn: Connection, bulk_id: str) -> None:
    """Forget a preview."""
    conn.execute(delete(bulk_items).where(bulk_items.c.bulk_id == bulk_id))
    conn.execute(delete(bulks).where(bulks.c.id == bulk_id))


def stale_previews(conn: Connection, before_us: int) -> list[str]:
    """Previews nobody confirmed in time."""
    found = select(bulks.c.id).where(bulks.c.state == "preview", bulks.c.created < before_us)
    return list(conn.execute(found.limit(50)).scalars())


def outcome_counts(conn: Connection, bulk_id: str) -> list[tuple[str, str, str | None, int]]:
    """(engine, state, code, n) over all items of a bulk."""
    group = (bulk_items.c.engine, bulk_items.c.state, bulk_items.c.code)
    rows = conn.execute(
        select(*group, func.count()).where(bulk_items.c.bulk_id == bulk_id).group_by(*group)
    )
    return [(engine, state, code, int(n)) for engine, state, code, n in rows]


def task_states(conn: Connection, bulk_id: str) -> dict[int, int]:
    """Tasks of a bulk by their state now."""
    rows = conn.execute(
        select(tasks.c.state, func.count())
        .join(bulk_items, bulk_items.c.ref == tasks.c.ref)
        .where(bulk_items.c.bulk_id == bulk_id)
        .group_by(tasks.c.state)
    )
    return {int(state): int(n) for state, n in rows}


def sample_refs(conn: Connection, bulk_id: str, limit: int) -> list[str]:
    """The first few tasks of a bulk, those that will be acted on before the skipped."""
    rows = conn.execute(
        select(bulk_items.c.ref)
        .where(bulk_items.c.bulk_id == bulk_id, bulk_items.c.ref.is_not(None))
        .order_by(bulk_items.c.state, bulk_items.c.idx)
        .limit(limit)
    )
    return [ref for (ref,) in rows]


def items(
    conn: Connection, bulk_id: str, after: int, limit: int, state: str | None = None
) -> list[Row[Any]]:
    """Items in their order with the task's name, from index `after` + 1."""
    query = (
        select(bulk_items, tasks.c.name)
        .outerjoin(tasks, tasks.c.ref == bulk_items.c.ref)
        .where(bulk_items.c.bulk_id == bulk_id, bulk_items.c.idx > after)
    )
    if state:
        query = query.where(bulk_items.c.state == state)
    return list(conn.execute(query.order_by(bulk_items.c.idx).limit(limit)))


def waiting(conn: Connection, bulk_id: str, limit: int) -> list[Row[Any]]:
    """Items not yet sent, with the state their task has now (None: no task)."""
    return list(
        conn.execute(
            select(bulk_items, tasks.c.state.label("task_state"))
            .outerjoin(tasks, tasks.c.ref == bulk_items.c.ref)
            .where(bulk_items.c.bulk_id == bulk_id, bulk_items.c.state == "held")
            .order_by(bulk_items.c.idx)
            .limit(limit)
        )
    )


def mark(conn: Connection, bulk_id: str, idxs: Sequence[int], **values: object) -> None:
    """Change items by index."""
    conn.execute(
        update(bulk_items)
        .where(bulk_items.c.bulk_id == bulk_id, bulk_items.c.idx.in_(idxs))
        .values(**values)
    )


def seat(conn: Connection, bulk_id: str, cmd_id: str, idxs: Sequence[int]) -> None:
    """Say which command carries which item, and at which position."""
    first = case({idx: pos for pos, idx in enumerate(idxs)}, value=bulk_items.c.idx)
    mark(conn, bulk_id, idxs, state="sealed", cmd_id=cmd_id, pos=first)


def take_back(conn: Connection, bulk_id: str, state: str, code: str) -> int:
    """End every item that was not sent."""
    return conn.execute(
        update(bulk_items)
        .where(bulk_items.c.bulk_id == bulk_id, bulk_items.c.state == "held")
        .values(state=state, code=code)
    ).rowcount


def due(conn: Connection, now_us: int) -> list[Row[Any]]:
    """Bulks that have something to send now."""
    held = and_(bulks.c.state == "held", bulks.c.hold_until <= now_us)
    return list(conn.execute(select(bulks).where(held | (bulks.c.state == "running"))))


def next_hold(conn: Connection) -> int | None:
    """When the next held bulk comes due, µs."""
    query = select(func.min(bulks.c.hold_until)).where(bulks.c.state == "held")
    found = conn.execute(query).scalar()
    return None if found is None else int(found)


def open_commands(conn: Connection, bulk_id: str) -> list[str]:
    """Commands of a bulk that an agent may still act on."""
    rows = conn.execute(
        select(commands.c.cmd_id).where(
            commands.c.bulk_id == bulk_id, commands.c.state.in_(OPEN_COMMANDS)
        )
    )
    return [cmd_id for (cmd_id,) in rows]


def copy_failed(conn: Connection, old_id: str, new_id: str) -> int:
    """Items of `old_id` that failed become waiting items of `new_id`; how many."""
    number = func.row_number().over(order_by=bulk_items.c.idx) - 1
    failed = bulk_items.c.state.in_(("failed", "expired"))
    found = select(
        literal(new_id), number, bulk_items.c.ref, bulk_items.c.engine, bulk_items.c.app,
        bulk_items.c.task_id, literal("held"),
    ).where(bulk_items.c.bulk_id == old_id, failed)  # fmt: skip
    names = ["bulk_id", "idx", "ref", "engine", "app", "task_id", "state"]
    return conn.execute(insert(bulk_items).from_select(names, found)).rowcount
