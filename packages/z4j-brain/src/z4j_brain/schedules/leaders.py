"""Who leads each group, who could, and why nobody does. The rule: no agent, no promise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, func, select
from z4j_core.scheduler.lease import group_of

from ..agents import troubles
from ..agents.model import agents
from ..agents.offers import base_level
from ..audit.service import Entry, record
from ..errors import Forbidden, NotFound
from ..web.ask import Ask
from ..web.numbers import ms
from ..web.rights import needs_step_up
from ..web.route import PROJECT, Table
from . import firerows, leases, modes, store
from .api import by_of
from .api import told as spread
from .model import schedules
from .store import Place
from .written import Json

ENDPOINTS = Table()
SCHEDULER = "scheduler"
"""Role of a process that fires centrally."""
Name = tuple[str, str]
OWN = "brain"
OTHERS = 50
OTHER_BROKER = "Z4J-E301"
_LEFT = "SELECT expires_ms - {now} FROM z4j_lease WHERE grp = :grp AND expires_ms > {now}"


@ENDPOINTS.get(f"{PROJECT}/schedules/groups", "schedule.read")
async def groups(ask: Ask) -> Json:
    """Groups of the project: their leader, its candidates, and how far each has come."""
    now_us = ask.brain.now_us()
    return {"items": await ask.brain.db.read(listed, ask.project.id, now_us)}


class MoveBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who shall fire a group; `store` is where agents keep the lease: `own` is the app's choice."""

    engine: str
    app: str
    mode: Literal["agents", "central"]
    store: Literal["own", "brain"] = "own"


@ENDPOINTS.post(f"{PROJECT}/schedules/groups/move", "schedule.move", takes=MoveBody, status=202)
async def move(ask: Ask) -> Json:
    """Let another fire a group: first nobody does, and once all have let go, the new one."""
    body = await ask.body(MoveBody)
    if needs_step_up(ask.principal, "schedule.move", ask.brain.now_us()):
        raise Forbidden("auth.step_up", "prove again that it is you: type your password")
    place = Place(ask.project.id, body.engine, body.app)
    by = by_of(ask)

    def work(conn: Connection) -> Json:
        _known(conn, place, by.now_us)
        modes.begin(conn, place, body.mode, body.store, by.now_us)
        record(conn, by.entry_id, by.now_us, Entry(
            "schedule.move", by.name, by.via, by.project_id, f"group {body.engine}/{body.app}",
            detail={"mode": body.mode, "store": body.store},
        ))  # fmt: skip
        return next(each for each in listed(conn, place.project_id, by.now_us) if _is(each, place))

    found = await ask.brain.db.write(work)
    spread(ask)
    return found


def _known(conn: Connection, place: Place, now_us: int) -> None:
    """Refuse a group that has neither schedules nor agents: it is a typing error."""
    if not any(_is(each, place) for each in listed(conn, place.project_id, now_us)):
        raise NotFound("not_found", "no such group: see schedules/groups")


def _is(found: Json, place: Place) -> bool:
    return (found["engine"], found["app"]) == (place.engine, place.app)


def listed(conn: Connection, project_id: str, now_us: int) -> list[Json]:
    """Every group that has schedules or a connected agent."""
    known = {(row.engine, row.app): row for row in store.groups(conn, project_id)}
    query = select(agents).where(agents.c.project_id == project_id, agents.c.connected.is_(True))
    present = list(conn.execute(query.order_by(agents.c.host, agents.c.pid)))
    offered = {(app["engine"], app["app"]) for agent in present for app in agent.apps or ()}
    silent, lags = _silent(conn, project_id), firerows.lags(conn, project_id)
    counts = store.by_group(conn, project_id)
    refused = troubles.lasting(conn, project_id, OTHER_BROKER, [each.stream for each in present])
    return [
        _json(name, known.get(name), present, silent.get(name, ""))
        | _pace(conn, Place(project_id, *name), known.get(name), lags.get(name, []))
        | {"schedules": counts.get(name, 0), "waits_for": _waits_for(conn, known.get(name), now_us)}
        | {"refused": _refused(name, present, refused)}
        for name in sorted({*known, *offered})
    ]


def _refused(name: Name, present: list[Row[Any]], told: Mapping[troubles.Who, Any]) -> list[Json]:
    """Connected processes that a store refuses the lease of a group, and why, first told first."""
    found = [(agent, told.get((agent.stream, *name))) for agent in present]
    notes = sorted(((agent, note) for agent, note in found if note), key=lambda one: one[1].at)
    return [
        {
            "agent": agent.stream, "host": agent.host, "pid": agent.pid, "code": note.code,
            "why": note.text, "since": ms(note.at),
        }
        for agent, note in notes
    ]  # fmt: skip


def _waits_for(conn: Connection, row: Row[Any] | None, now_us: int) -> str | None:
    """What the move of a group waits for; None where it does not move."""
    if row is None or row.moving is None:
        return None
    return modes.waits_for(conn, row, now_us) or "its end is being written"


def _pace(conn: Connection, place: Place, row: Row[Any] | None, lags: list[int]) -> Json:
    """How long the lease still runs, when it changed hands last, how late its fires are.

    A lease that is not in this database is known to its holders alone.
    """
    found = leases.over(conn).rows(_LEFT, {"grp": group_of(*place)})
    left = int(found[0][0]) if found else None
    lags.sort()
    return {
        "store": OWN if found else None if row is None else row.store,
        "ttl_left_ms": left, "since": None if row is None else ms(row.heard),
        "lag_p50_ms": _quantile(lags, 50), "lag_p99_ms": _quantile(lags, 99),
        "lag_fires": len(lags),
    }  # fmt: skip


def _quantile(ordered: list[int], percent: int) -> int | None:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None


def _silent(conn: Connection, project_id: str) -> dict[Name, str]:
    query = select(schedules.c.engine, schedules.c.app, func.min(schedules.c.silent)).where(
        schedules.c.project_id == project_id, schedules.c.silent.is_not(None)
    )
    rows = conn.execute(query.group_by(schedules.c.engine, schedules.c.app))
    return {(engine, app): why for engine, app, why in rows}


def _json(name: Name, row: Row[Any] | None, present: list[Row[Any]], silent: str) -> Json:
    here = [agent for agent in present if _serves(agent, name)]
    here += [agent for agent in present if agent.role == SCHEDULER and _told(agent, name)]
    free = [agent for agent in here if agent.role == SCHEDULER or not modes.is_led_centrally(row)]
    candidates = [(agent, told) for agent in free if (told := _told(agent, name)) and told[2]]
    leader = next((agent for agent in here if row is not None and agent.stream == row.leader), None)
    return {
        "engine": name[0], "app": name[1],
        "mode": modes.mode_of(row), "moving_to": modes.moving_to(row),
        "era": row.era if row is not None else 1,
        "revision": row.revision if row is not None else 0,
        "leader": None if leader is None or row is None else {
            "owner": leader.stream, "epoch": row.epoch, "host": leader.host, "pid": leader.pid,
        },
        "candidates": [
            {
                "agent": agent.stream, "host": agent.host, "pid": agent.pid, "era": told[3],
                "revision": told[4], "is_leader": agent is leader, "role": agent.role,
                "since": ms(agent.connected_at),
            }
            for agent, told in candidates
        ],
        "others": [
            {
                "agent": agent.stream, "host": agent.host, "pid": agent.pid, "role": agent.role,
                "why": _why_not(row, agent, {each.host for each, _ in candidates}),
            }
            for agent in here
            if agent not in [each for each, _ in candidates]
        ][:OTHERS],
        "schedulers": sum(agent.role == SCHEDULER for agent in present),
        "silent": bool(silent), "why": silent or _why(row, here, candidates),
    }  # fmt: skip


def _serves(agent: Any, name: Name) -> bool:
    return any((app["engine"], app["app"]) == name for app in agent.apps or ())


def _told(agent: Any, name: Name) -> Any:
    groups = agent.groups or ()
    return next((each for each in groups if (each[0], each[1]) == name), None)


def _why_not(row: Row[Any] | None, agent: Any, hosts: set[str]) -> str:
    """Why a connected process of a group is no candidate."""
    if modes.is_led_centrally(row) and agent.role != SCHEDULER:
        return "this group is fired by a z4j-scheduler, not by its agents"
    if base_level(agent.policy or "") < 1:
        return "its policy is observe: set Z4J_ALLOW=run"
    if agent.host in hosts:
        return "another process of this host is its candidate"
    if agent.role != "worker":
        return "it is no worker and has not been up for long, or Z4J_SCHEDULER is off"
    return "Z4J_SCHEDULER is off in it"


def _why(row: Row[Any] | None, here: list[Row[Any]], candidates: list[Any]) -> str | None:
    """Why nobody can lead; None when somebody can."""
    if modes.is_moving(row):
        return "this group is being moved: for some seconds nobody fires it"
    if modes.is_led_centrally(row) and not any(agent.role == SCHEDULER for agent in here):
        return "no z4j-scheduler is connected: start one with a key of the role scheduler"
    if not here:
        return "no agent of this group is connected"
    if candidates:
        return None
    if all(base_level(agent.policy or "") < 1 for agent in here):
        return "the policy of every app is observe: set Z4J_ALLOW=run"
    return "no connected process may lead: start a worker, or look at Z4J_SCHEDULER"
