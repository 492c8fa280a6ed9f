"""Keys of agents over HTTP. The rule: a secret is in the answer that made it and nowhere else.

A credential has at most two live keys: the second is made, the apps get its DSN, the first retires.
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection

from ..audit.service import Entry, record
from ..errors import Forbidden, NotFound
from ..schedules import groups
from ..web.ask import Ask
from ..web.origin import own_origin
from ..web.rights import needs_step_up
from ..web.route import PROJECT, Table
from . import pages, service

ENDPOINTS = Table()
MAX_LABEL = 100


class NewKeyBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the new key is for. One of the role `scheduler` can only lead groups and name slots."""

    label: str = ""
    role: Literal["agent", "scheduler"] = "agent"


class RetireBody(msgspec.Struct, forbid_unknown_fields=True):
    """With `force` also a key is retired by which agents are connected."""

    force: bool = False


class Key(msgspec.Struct):
    """A key without its secret. `sessions`: how many agents are connected by it now."""

    cred_id: str
    kid: int
    key_id: str
    label: str | None
    role: str
    created_at: int
    last_used_at: int | None
    retired_at: int | None
    revoked_at: int | None
    sessions: int


class Keys(msgspec.Struct):
    """Keys of a project, oldest first."""

    items: list[Key]


class MadeKey(msgspec.Struct):
    """A new key; `dsn` holds its secret."""

    cred_id: str
    key_id: str
    kid: int
    dsn: str
    created_at: int


@ENDPOINTS.get(f"{PROJECT}/keys", "agent.read", gives=Keys)
async def keys(ask: Ask) -> dict[str, Any]:
    """Keys of the project, without secrets."""
    return {"items": await ask.brain.db.read(pages.keys, ask.project.id)}


@ENDPOINTS.post(f"{PROJECT}/keys", "agent_key.create", takes=NewKeyBody, gives=MadeKey, status=201)
async def create(ask: Ask) -> MadeKey:
    """A new key; its DSN is in this answer and nowhere else."""
    body = await ask.body(NewKeyBody)
    _step_up(ask, "agent_key.create")
    brain, now_us = ask.brain, ask.brain.now_us()

    def work(conn: Connection) -> service.NewKey:
        key = service.create_key(
            conn, brain.roots, brain.entropy, project_id=ask.project.id, now_us=now_us,
            holder=service.Holder(body.label[:MAX_LABEL], body.role),
        )  # fmt: skip
        groups.reseal(conn, ask.project.id)
        _audit(ask, conn, "agent_key.create", key.cred_id, kid=key.kid, role=body.role)
        return key

    return _made(ask, await brain.db.write(work), now_us)


@ENDPOINTS.post(f"{PROJECT}/keys/{{cred_id}}/rotate", "agent_key.rotate", gives=MadeKey, status=201)
async def rotate(ask: Ask) -> MadeKey:
    """A second live key beside the first; its DSN is in this answer and nowhere else."""
    _step_up(ask, "agent_key.rotate")
    brain, now_us, cred_id = ask.brain, ask.brain.now_us(), ask.path("cred_id")

    def work(conn: Connection) -> service.NewKey:
        _own(ask, conn, cred_id)
        key = service.second_key(conn, brain.roots, brain.entropy, cred_id, now_us)
        groups.reseal(conn, ask.project.id)
        _audit(ask, conn, "agent_key.rotate", cred_id, kid=key.kid)
        return key

    return _made(ask, await brain.db.write(work), now_us)


@ENDPOINTS.post(
    f"{PROJECT}/keys/{{cred_id}}/{{kid}}/retire",
    "agent_key.rotate",
    takes=RetireBody,
    status=204,
)
async def retire(ask: Ask) -> None:
    """Let nobody start a session by this key; 409 while agents are connected, unless forced."""
    body = await ask.body(RetireBody)
    _step_up(ask, "agent_key.rotate")
    cred_id, kid = ask.path("cred_id"), _number(ask.path("kid"))

    def work(conn: Connection) -> None:
        _own(ask, conn, cred_id)
        here = service.retire_key(conn, cred_id, kid, ask.brain.now_us(), force=body.force)
        groups.reseal(conn, ask.project.id)
        _audit(ask, conn, "agent_key.retire", cred_id, kid=kid, force=body.force, sessions=here)

    await ask.brain.db.write(work)


@ENDPOINTS.post(f"{PROJECT}/keys/{{cred_id}}/revoke", "agent_key.revoke")
async def revoke(ask: Ask) -> None:
    """End all keys of a credential at once; their sessions close within 5 s."""
    _step_up(ask, "agent_key.revoke")
    cred_id = ask.path("cred_id")

    def work(conn: Connection) -> None:
        _own(ask, conn, cred_id)
        service.revoke_key(conn, cred_id, ask.brain.now_us())
        groups.reseal(conn, ask.project.id)
        _audit(ask, conn, "agent_key.revoke", cred_id)

    await ask.brain.db.write(work)


@ENDPOINTS.get(f"{PROJECT}/keys/refused", "agent.read")
async def refused(ask: Ask) -> dict[str, Any]:
    """Who tried a key of this project and was turned away; unknown keys go to the owner only."""

    def work(conn: Connection) -> list[dict[str, Any]]:
        return pages.refused(conn, ask.project.id, with_unknown=ask.principal.is_owner)

    return {"items": await ask.brain.db.read(work)}


def dsn(ask: Ask, key_id: str, secret: str) -> str:
    """The DSN of a key, for agents that reach the brain where this request did."""
    parts = urlsplit(own_origin(ask.request, ask.brain.settings))
    where = f"{parts.netloc}{ask.brain.settings.prefix}"
    return f"{parts.scheme}://{key_id}:{secret}@{where}/{ask.project.slug}"


def _made(ask: Ask, key: service.NewKey, now_us: int) -> MadeKey:
    return MadeKey(
        key.cred_id, key.key_id, key.kid, dsn(ask, key.key_id, key.secret), now_us // 1000
    )


def _number(text: str) -> int:
    """The number of a key; what is none is a key that does not exist."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0  # noqa: PLR2004 - up to 255


def _own(ask: Ask, conn: Connection, cred_id: str) -> None:
    """Refuse a credential of another project as one that does not exist."""
    if cred_id not in {key.cred_id for key in service.list_keys(conn, ask.project.id)}:
        raise NotFound("key.not_found", "no such key")


def _step_up(ask: Ask, action: str) -> None:
    if needs_step_up(ask.principal, action, ask.brain.now_us()):
        raise Forbidden("auth.step_up", "prove again that it is you: type your password")


def _audit(ask: Ask, conn: Connection, action: str, cred_id: str, **detail: Any) -> None:
    who, brain = ask.principal, ask.brain
    entry = Entry(
        action, who.name, who.via, ask.project.id, f"key {cred_id}", detail=detail or None
    )
    record(conn, brain.new_id(), brain.now_us(), entry)
