"""Agents, keys and refused attempts as pages show them. The rule: a secret is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select
from z4j_core.model.commands import Level
from z4j_core.wire.keys import KeyId, encode_key_id

from ..commands.model import commands
from ..tasks.model import task_defs, tasks
from ..web.numbers import ms
from .model import agents, refused_attempts
from .offers import Offer, can, can_json, offers
from .service import list_keys, sessions_by_key
from .store import KeyRow

SHOWN_US = 24 * 3_600 * 1_000_000
MAX_REFUSED = 50
LOST_US = 3_600 * 1_000_000
PROBLEMS = {
    4401: "wrong secret, or a key of another brain",
    4403: "the key is revoked or retired",
    4404: "the key belongs to another project",
    4406: "this URL is not allowed",
    4409: "another session of this stream is newer",
    4426: "no common protocol version",
    4429: "too many at once",
}


def listed(conn: Connection, project_id: str, now_us: int) -> list[dict[str, Any]]:
    """Agents connected now or within the last day, connected ones first."""
    query = (
        select(agents)
        .where(agents.c.project_id == project_id, agents.c.last_beat >= now_us - SHOWN_US)
        .order_by(agents.c.connected.desc(), agents.c.last_beat.desc())
        .limit(2_000)
    )
    return [_agent(row, now_us) for row in conn.execute(query)]


def _agent(row: Row[Any], now_us: int) -> dict[str, Any]:
    return {
        "id": row.stream,
        "host": row.host,
        "pid": row.pid,
        "role": row.role,
        "state": "connected" if row.connected else "gone",
        "engines": [
            {
                "engine": app["engine"], "app": app["app"], "version": app["engine_version"],
                "verbs": app["verbs"], "unavailable": app.get("unavailable") or {},
            }
            for app in row.apps or []
        ],
        "policy": row.policy,
        "version": row.agent_version,
        "transport": row.transport,
        "connected_at": ms(row.connected_at),
        "last_beat_at": ms(row.last_beat),
        "spool_bytes": row.spool_bytes,
        "lost": row.spool_lost,
        "age_ms": age_ms(row, now_us),
    }  # fmt: skip


def age_ms(row: Row[Any], now_us: int) -> int:
    """Age of the oldest fact of an agent that is not here yet, growing while it is silent."""
    told = row.age_ms or 0
    if not row.connected:
        return told
    silent_ms = max(0, now_us - (row.last_beat or now_us)) // 1000
    return int(told + silent_ms) if silent_ms > LATE_BEAT_MS else int(told)


LATE_BEAT_MS = 25_000


def lag(conn: Connection, project_id: str, now_us: int) -> dict[str, Any]:
    """How far the page is behind its agents: the five worst."""
    query = (
        select(agents)
        .where(agents.c.project_id == project_id, agents.c.connected.is_(True))
        .limit(5_000)
    )
    ages = [
        {"id": row.stream, "age_ms": age_ms(row, now_us), "lost": row.spool_lost}
        for row in conn.execute(query)
    ]
    ages.sort(key=lambda each: -int(each["age_ms"]))
    return {"age_ms": ages[0]["age_ms"] if ages else 0, "agents": ages[:5]}


def capabilities(offered: dict[tuple[str, str], Offer]) -> list[dict[str, Any]]:
    """Every verb of every engine with whether it can be done and, if not, why."""
    return [
        {
            "engine": offer.engine,
            "app": offer.app,
            "verbs": {
                verb: can_json(can(offer, verb))
                for verb in sorted({*offer.verbs, *offer.unavailable})
            },
        }
        for offer in offered.values()
    ]


def keys(conn: Connection, project_id: str) -> list[dict[str, Any]]:
    """Keys without their secrets, and how many agents are connected by each."""
    here = sessions_by_key(conn, project_id)
    return [_key(row, here.get((row.cred_id, row.kid), 0)) for row in list_keys(conn, project_id)]


def _key(row: KeyRow, sessions: int) -> dict[str, Any]:
    return {
        "cred_id": row.cred_id,
        "kid": row.kid,
        "key_id": encode_key_id(KeyId(bytes.fromhex(row.cred_id), row.kid)),
        "label": row.label,
        "role": row.role,
        "created_at": ms(row.created),
        "last_used_at": ms(row.last_used),
        "retired_at": ms(row.retired),
        "revoked_at": ms(row.revoked),
        "sessions": sessions,
    }


def refused(
    conn: Connection, project_id: str, *, with_unknown: bool = False
) -> list[dict[str, Any]]:
    """The newest refused attempts that named a key of this project, or no key at all."""
    mine = refused_attempts.c.project_id == project_id
    if with_unknown:
        mine = or_(mine, refused_attempts.c.project_id.is_(None))
    query = (
        select(refused_attempts)
        .where(mine)
        .order_by(refused_attempts.c.at.desc())
        .limit(MAX_REFUSED)
    )
    return [
        {
            "at": ms(row.at),
            "key_id": encode_key_id(KeyId(bytes.fromhex(row.cred_id), row.kid)),
            "from": row.address,
            "reason": row.reason or PROBLEMS.get(row.code, str(row.code)),
            "detail": row.url,
        }
        for row in conn.execute(query)
    ]


def steps(conn: Connection, project_id: str) -> list[dict[str, Any]]:
    """The way from a new key to the first acknowledged command; of what waits, why it may."""
    used = [key for key in list_keys(conn, project_id) if key.last_used]
    here = connected(conn, project_id)
    known = _count(conn, select(func.count()).select_from(task_defs).where(
        task_defs.c.project_id == project_id))  # fmt: skip
    first = select(tasks.c.ref).where(tasks.c.project_id == project_id).limit(1)
    done = select(commands.c.cmd_id).where(
        commands.c.project_id == project_id, commands.c.state == "done"
    )
    offered = offers(conn, project_id)
    return [
        _step("key_used", _many(len(used), "key") if used else "", WAITS["key_used"]),
        _step("agent_connected", _many(here, "agent") if here else "", WAITS["agent_connected"]),
        _step("definitions", _many(known, "task") if known else "", _no_definitions(here, offered)),
        _step("first_event", _seen(conn, first), WAITS["first_event"]),
        _step("command_ok", _seen(conn, done), _no_command(offered)),
    ]


WAITS = {
    "key_used": "no process has proved this project's key: is Z4J_DSN set where it starts?",
    "agent_connected": "no process is connected now",
    "definitions": "the engines of the connected process have not told their tasks yet",
    "first_event": "nothing has run yet: enqueue a task",
    "command_ok": "a look at the workers is asked of the first agent whose engine can tell",
}


def _no_definitions(here: int, offered: Mapping[tuple[str, str], Offer]) -> str:
    if here and not offered:
        return "connected, no engine: is z4j.init() called where the app is made?"
    return WAITS["definitions"]


def _no_command(offered: Mapping[tuple[str, str], Offer]) -> str:
    levels = {offer.level for offer in offered.values()}
    if levels == {Level.OBSERVE}:
        return f"{WAITS['command_ok']}; the policy is observe: it permits only looks"
    return WAITS["command_ok"]


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _seen(conn: Connection, query: Any) -> str:
    return "seen" if conn.execute(query).first() is not None else ""


def connected(conn: Connection, project_id: str) -> int:
    """How many agents are connected."""
    here = agents.c.connected.is_(True)
    query = select(func.count()).select_from(agents).where(agents.c.project_id == project_id, here)
    return _count(conn, query)


def _count(conn: Connection, query: Any) -> int:
    return int(conn.execute(query).scalar_one())


def _step(step: str, done: str, waits: str) -> dict[str, Any]:
    return {"id": step, "done": bool(done), "detail": done or waits}
