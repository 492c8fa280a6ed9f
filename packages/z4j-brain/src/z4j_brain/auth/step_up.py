"""Proving again that it is you. The rule: for dangerous acts, a proof lasts ten minutes."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from ..audit.service import Entry, record
from ..errors import Problem
from ..web.ask import Ask
from ..web.route import SIGNED_IN, Table
from . import service, store

ROUTES = Table()


class Proof(msgspec.Struct):
    """The password of the account that is signed in."""

    password: str


@ROUTES.post("/api/v1/auth/step-up", SIGNED_IN, takes=Proof, status=204)
async def step_up(ask: Ask) -> None:
    """Type the password again; good for ten minutes in this session."""
    body, brain, who = await ask.body(Proof), ask.brain, ask.principal
    if not who.session:
        raise Problem("auth.step_up", "a token cannot prove itself: use a session", status=403)
    buckets = service.buckets_of(who.email, ask.address)
    user = await brain.db.read(service.account, who.email, buckets, brain.now_us())
    stored = user.password if user is not None else None
    if not await brain.passwords.verify(stored, body.password):
        await brain.db.write(service.failed, brain, who.email, buckets)
        raise Problem("auth.wrong", "the password is wrong", status=401)

    def proven(conn: Connection) -> None:
        now_us = brain.now_us()
        store.prove_session(conn, who.session, now_us)
        store.clear_failures(conn, buckets[:1])
        record(conn, brain.new_id(), now_us, Entry("session.step_up", who.email, who.via))

    await brain.db.write(proven)
