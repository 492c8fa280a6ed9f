"""Who fires a group: its agents, or a scheduler that runs by itself. The rule: never two at a time.

A move has two phases. In the first nobody fires: the schedules say so, and whoever leads lets go.
Once all who could lead have said that they hold that revision and no lease is held, or a lease that
nobody gave back must be over, the second phase says who fires from then on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select
from z4j_core.scheduler.lease import group_of

from ..agents.model import agents
from ..errors import Conflict
from ..projects.model import projects as tenants
from . import firerows, leases, store, timing
from .model import schedule_groups
from .store import Place

AGENTS, CENTRAL = "agents", "central"
MODES = (AGENTS, CENTRAL)
NONE, BRAIN, OWN = "none", "brain", "own"
STORES = (OWN, BRAIN)
"""Where leases of a group led by its agents are: where the app chooses, or in the brain."""
SETTLE_US = 3_000_000
"""How long whoever let go may still be at the last fire, and telling of it."""
OVER_US = 62_000_000
"""After how long a lease that nobody gave back is over for sure: the longest there is."""
SECOND = 1_000_000
Json = dict[str, Any]


def mode_of(row: Any) -> str:
    """Who fires a group, or did until it began to move."""
    return (row.mode if row is not None else None) or AGENTS


def is_moving(row: Any) -> bool:
    """Whether nobody fires a group, for it is between two."""
    return row is not None and row.store == NONE


def moving_to(row: Any) -> str | None:
    """Who will fire a group that moves; None for one that does not."""
    found: str | None = row.next_mode if is_moving(row) else None
    return found


def is_led_centrally(row: Any) -> bool:
    """Whether a scheduler that runs by itself fires a group now."""
    return mode_of(row) == CENTRAL and not is_moving(row)


def told(row: Any) -> Json | None:
    """What the schedules of a group say about who fires it; None: its agents, as they choose."""
    if row is None or (mode_of(row) == AGENTS and not row.store):
        return None
    return {"kind": row.store or BRAIN, "mode": mode_of(row)}


def central(conn: Connection, projects: Iterable[str]) -> set[Place]:
    """Groups whose schedules go to schedulers: those they fire, and those they have to let go."""
    table = schedule_groups
    query = select(table).where(table.c.project_id.in_(sorted(projects)), table.c.mode == CENTRAL)
    return {store.place_of(row) for row in conn.execute(query)}


def projects(conn: Connection) -> dict[str, str]:
    """Projects, by id, with their slugs, that have groups which are fired centrally."""
    query = (
        select(tenants.c.id, tenants.c.slug)
        .join(schedule_groups, schedule_groups.c.project_id == tenants.c.id)
        .where(schedule_groups.c.mode == CENTRAL)
        .distinct()
    )
    return {row.id: row.slug for row in conn.execute(query)}


def begin(conn: Connection, place: Place, mode: str, kind: str, now_us: int) -> Row[Any]:
    """Let nobody fire a group, until another does.

    Raises:
        Conflict: it is so already, or on its way somewhere.
    """
    store.raise_group(conn, place)
    row = store.group(conn, place)
    assert row is not None
    wanted = BRAIN if mode == CENTRAL or kind == BRAIN else None
    if is_moving(row):
        raise Conflict("schedule.group_moving", "this group is being moved: try again in a minute")
    if (mode_of(row), row.store or None) == (mode, wanted):
        raise Conflict("schedule.group_same", f"this group is fired by {_who(mode)} already")
    store.change_group(
        conn, place, mode=mode_of(row), store=NONE, next_mode=mode, next_store=wanted, moving=now_us
    )
    return _now(conn, place)


def any_moving(conn: Connection) -> bool:
    """Whether there is anything to finish."""
    query = select(schedule_groups.c.project_id).where(schedule_groups.c.moving.is_not(None))
    return conn.execute(query.limit(1)).first() is not None


def finish(conn: Connection, now_us: int) -> set[Place]:
    """Bring moves to their end whose time has come; the groups that have moved."""
    rows = conn.execute(select(schedule_groups).where(schedule_groups.c.moving.is_not(None))).all()
    done = {store.place_of(row) for row in rows if _is_let_go(conn, row, now_us)}
    for place in sorted(done):
        _finish(conn, place)
    return done


def _finish(conn: Connection, place: Place) -> None:
    store.raise_group(conn, place)
    row = _now(conn, place)
    if row.moving is None:
        return  # another brain was faster
    over = leases.over(conn)
    leases.forget_lease(over, group_of(*place))
    if row.next_store == BRAIN:
        leases.seed(over, group_of(*place), _stands(conn, place))
    store.change_group(
        conn, place, mode=row.next_mode, store=row.next_store, next_mode=None, next_store=None,
        moving=None, leader=None,
    )  # fmt: skip


def _stands(conn: Connection, place: Place) -> list[leases.Seed]:
    """How far each schedule has come; how often it fired matters where that is limited."""
    return [
        leases.Seed(
            row.id, row.last_generation, row.last_slot_ms,
            firerows.claims(conn, row) if timing.max_fires(row) is not None else 0,
        )
        for row in store.of_group(conn, place)
        if row.last_slot_ms is not None
    ]  # fmt: skip


def _is_let_go(conn: Connection, row: Row[Any], now_us: int) -> bool:
    return waits_for(conn, row, now_us) is None


def waits_for(conn: Connection, row: Row[Any], now_us: int) -> str | None:
    """What a move still waits for, as a sentence; None when its second phase may begin."""
    if leases.is_held(leases.over(conn), group_of(*store.place_of(row))):
        return "somebody still holds the lease in this server"
    waited_us = now_us - row.moving
    behind, is_known = _behind(conn, row)
    if waited_us < OVER_US and behind:
        who = "a process has" if behind == 1 else f"{behind} processes have"
        return f"{who} not yet heard of it"
    if waited_us < OVER_US and not is_known:
        left_s = -(-(OVER_US - waited_us) // SECOND)
        return f"who led is not connected: its lease is over in {left_s} s"
    if waited_us < SETTLE_US:
        return "whoever let go may still tell of its last fire"
    return None


def _behind(conn: Connection, row: Row[Any]) -> tuple[int, bool]:
    """How many who could lead lack the revision that says: nobody; whether who led is connected."""
    query = select(agents.c.groups, agents.c.stream).where(
        agents.c.project_id == row.project_id, agents.c.connected.is_(True)
    )
    streams, behind = set(), 0
    for groups, stream in conn.execute(query):
        streams.add(stream)
        for engine, app, _, era, revision in groups or ():
            is_ours = (engine, app, era) == (row.engine, row.app, row.era)
            behind += is_ours and 0 < revision < row.revision
    return behind, row.leader is None or row.leader in streams


def _now(conn: Connection, place: Place) -> Row[Any]:
    row = store.group(conn, place)
    assert row is not None
    return row


def _who(mode: str) -> str:
    return "its agents" if mode == AGENTS else "z4j-scheduler"
