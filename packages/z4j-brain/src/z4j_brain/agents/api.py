"""Agents, their keys and the onboarding over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection

from ..audit.service import Entry, record
from ..errors import Forbidden, NotFound
from ..web.ask import Ask
from ..web.origin import own_origin
from ..web.rights import needs_step_up
from ..web.route import PROJECT, Table
from . import pages, service
from .offers import offers

ENDPOINTS = Table()


class NewKeyBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the new key is for."""

    label: str = ""


@ENDPOINTS.get(f"{PROJECT}/agents", "agent.read")
async def listed(ask: Ask) -> dict[str, Any]:
    """Agents of the last day."""
    found = await ask.brain.db.read(pages.listed, ask.project.id, ask.brain.now_us())
    return {"items": found}


@ENDPOINTS.get(f"{PROJECT}/capabilities", "agent.read")
async def capabilities(ask: Ask) -> dict[str, Any]:
    """What the connected agents can be asked, engine by engine."""
    offered = await ask.brain.db.read(offers, ask.project.id)
    return {"items": pages.capabilities(offered)}


@ENDPOINTS.get(f"{PROJECT}/keys", "agent.read")
async def keys(ask: Ask) -> dict[str, Any]:
    """Keys of the project, without secrets."""
    return {"items": await ask.brain.db.read(pages.keys, ask.project.id)}


@ENDPOINTS.post(f"{PROJECT}/keys", "agent_key.create", takes=NewKeyBody, status=201)
async def create(ask: Ask) -> dict[str, Any]:
    """A new key; its DSN is in this answer and nowhere else."""
    body = await ask.body(NewKeyBody)
    _step_up(ask, "agent_key.create")
    brain, now_us = ask.brain, ask.brain.now_us()

    def work(conn: Connection) -> service.NewKey:
        key = service.create_key(
            conn, brain.roots, brain.entropy, project_id=ask.project.id, now_us=now_us,
            label=body.label[:100],
        )  # fmt: skip
        _audit(ask, conn, "agent_key.create", key.cred_id, now_us)
        return key

    key = await brain.db.write(work)
    return {
        "cred_id": key.cred_id,
        "key_id": key.key_id,
        "kid": key.kid,
        "dsn": _dsn(ask, key.key_id, key.secret),
        "created_at": now_us // 1000,
    }


@ENDPOINTS.post(f"{PROJECT}/keys/{{cred_id}}/revoke", "agent_key.revoke")
async def revoke(ask: Ask) -> None:
    """End a key at once; its sessions close within 5 s."""
    _step_up(ask, "agent_key.revoke")
    cred_id, now_us = ask.path("cred_id"), ask.brain.now_us()

    def work(conn: Connection) -> None:
        mine = {key["cred_id"] for key in pages.keys(conn, ask.project.id)}
        if cred_id not in mine:
            raise NotFound("key.not_found", "no such key")
        service.revoke_key(conn, cred_id, now_us)
        _audit(ask, conn, "agent_key.revoke", cred_id, now_us)

    await ask.brain.db.write(work)


@ENDPOINTS.get(f"{PROJECT}/keys/refused", "agent.read")
async def refused(ask: Ask) -> dict[str, Any]:
    """Who tried a key of this project and was turned away; unknown keys go to the owner only."""

    def work(conn: Connection) -> list[dict[str, Any]]:
        return pages.refused(conn, ask.project.id, with_unknown=ask.principal.is_owner)

    return {"items": await ask.brain.db.read(work)}


@ENDPOINTS.get(f"{PROJECT}/onboarding", "agent.read")
async def onboarding(ask: Ask) -> dict[str, Any]:
    """How far this project is from its first task on screen."""

    def work(conn: Connection) -> dict[str, Any]:
        return {
            "steps": pages.steps(conn, ask.project.id),
            "refused": pages.refused(conn, ask.project.id, with_unknown=ask.principal.is_owner),
            "agents": pages.connected(conn, ask.project.id),
        }

    hint = _dsn(ask, "<key id>", "<secret>")
    return {"dsn_hint": hint, **await ask.brain.db.read(work)}


def _dsn(ask: Ask, key_id: str, secret: str) -> str:
    parts = urlsplit(own_origin(ask.request, ask.brain.settings))
    where = f"{parts.netloc}{ask.brain.settings.prefix}"
    return f"{parts.scheme}://{key_id}:{secret}@{where}/{ask.project.slug}"


def _step_up(ask: Ask, action: str) -> None:
    if needs_step_up(ask.principal, action, ask.brain.now_us()):
        raise Forbidden("auth.step_up", "prove again that it is you: type your password")


def _audit(ask: Ask, conn: Connection, action: str, target: str, now_us: int) -> None:
    who = ask.principal
    entry = Entry(action, who.name, who.via, ask.project.id, f"key {target}")
    record(conn, ask.brain.new_id(), now_us, entry)
