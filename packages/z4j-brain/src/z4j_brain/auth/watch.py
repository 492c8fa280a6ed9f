"""Streams of ended sessions and tokens. The rule: a live page ends within 5 s of its proof."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ..db import is_trouble
from ..web.context import OF_TOKEN, Brain
from . import store

LOOK_S = 3.0
_log = logging.getLogger("z4j.auth")


async def end_revoked(
    brain: Brain, sessions: Callable[[], set[str]], revoked: Callable[[str], None]
) -> None:
    """Look for ever which of the sessions with open streams are over, and end those streams."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await look(brain, sessions(), revoked)
        except DBAPIError as error:
            if not is_trouble(error):
                _log.warning("sessions cannot be checked: %s", error.orig)


async def look(brain: Brain, open_now: set[str], revoked: Callable[[str], None]) -> None:
    """End the streams of those sessions and tokens that are not live any more."""
    if not open_now:
        return
    live = await brain.db.read(_live, open_now, brain.now_us())
    for proof in open_now - live:
        revoked(proof)


def _live(conn: Connection, proofs: set[str], now_us: int) -> set[str]:
    ids = sorted(proof.removeprefix(OF_TOKEN) for proof in proofs if proof.startswith(OF_TOKEN))
    named = sorted(proof for proof in proofs if not proof.startswith(OF_TOKEN))
    live = store.live_sessions(conn, named, now_us) if named else set()
    return live | {f"{OF_TOKEN}{each}" for each in store.live_tokens(conn, ids, now_us)}
