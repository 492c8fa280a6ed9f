"""Rotation in a running brain. The rule: at most a thousand rows a second, beside all else.

The file of the root secret is read again at each beat: no brain is restarted for a new one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from z4j_core.errors import ConfigError

from ..db import is_trouble
from ..settings import read_roots
from ..web.context import Brain
from . import service

BEAT_S = 5.0
ROWS = 500
BETWEEN_S = 0.5
_log = logging.getLogger("z4j.rotation")


@asynccontextmanager
async def running(brain: Brain) -> AsyncIterator[Callable[[], Coroutine[Any, Any, None]]]:
    """One of the running brains while the block runs; yields what has to run in it.

    Raises:
        ConfigError: rows need a root secret that is not configured.
    """
    replica = brain.entropy(8).hex()
    await brain.db.write(service.arrive, brain.roots, replica, brain.now_us())
    yield partial(keep_wrapped, brain, replica)
    await brain.db.write(service.leave, replica, brain.now_us())


async def keep_wrapped(brain: Brain, replica: str) -> None:
    """Say for ever that this brain runs, and bring rows of older roots under the newest."""
    complained = ""
    while True:
        try:
            complained = await brain.db.write(_reread, brain, complained)
            done = await brain.db.write(
                service.turn, brain.roots, brain.entropy, replica, brain.now_us(), ROWS
            )
        except DBAPIError as error:
            if not is_trouble(error):
                _log.warning("rows cannot be wrapped anew: %s", error.orig)
            done = 0
        if done:
            _log.info("wrapped %d rows anew under the root secret %s", done, brain.roots.kid)
        await asyncio.sleep(BETWEEN_S if done else BEAT_S)


def _reread(conn: Connection, brain: Brain, complained: str) -> str:
    """Take what the file holds now; returns what is wrong with it, which is said once."""
    path = brain.settings.secret_file
    if path is None:
        return ""
    try:
        if service.learn(conn, brain.roots, [*read_roots(path), *brain.settings.set_previous]):
            _log.info("read %s again: the root secret is %s", path, brain.roots.current)
    except ConfigError as error:
        if str(error) != complained:
            _log.warning("%s is not used: %s", path, error)
        return str(error)
    return ""
