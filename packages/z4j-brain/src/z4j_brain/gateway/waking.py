"""Work that is woken, and looked for once a second to be safe. The rule: trouble ends no loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from logging import Logger

from sqlalchemy.exc import SQLAlchemyError

from ..db import is_trouble

POLL_S = 1.0


async def whenever(
    wake: asyncio.Event, once: Callable[[], Awaitable[None]], log: Logger, complaint: str
) -> None:
    """Call `once` when woken, until cancelled; a database that is away is no complaint."""
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), POLL_S)
        wake.clear()
        try:
            await once()
        except SQLAlchemyError as error:
            if not is_trouble(error):
                log.exception(complaint)
