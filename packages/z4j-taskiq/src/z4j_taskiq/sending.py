"""Sending as the app sends. The rule: on the app's own event loop and through its middlewares.

Where that loop is over, a copy of the broker sends from the caller's, with connections of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from taskiq.exceptions import SendTaskError
from taskiq.kicker import AsyncKicker
from z4j_core import Indeterminate

from .hooks import ASKED, Asked, Hooks


class Sent(NamedTuple):
    """What is to be sent."""

    task: str
    labels: Mapping[str, Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    task_id: str | None = None


async def send(
    hooks: Hooks, what: Sent, asked: Asked, loop: asyncio.AbstractEventLoop | None
) -> str:
    """Send a run and return its id.

    Raises:
        Indeterminate: it may have been sent.
    """
    token = ASKED.set(asked)
    try:
        async with _sender(hooks, loop) as broker:
            kicker: AsyncKicker[Any, Any] = AsyncKicker(what.task, broker, dict(what.labels))
            sent = await kicker.with_task_id(what.task_id).kiq(*what.args, **what.kwargs)
    except SendTaskError as error:
        raise Indeterminate(f"taskiq could not send it: {error.__cause__}") from error
    finally:
        ASKED.reset(token)
    return str(sent.task_id)


@asynccontextmanager
async def _sender(hooks: Hooks, loop: asyncio.AbstractEventLoop | None) -> AsyncIterator[Any]:
    if loop is asyncio.get_running_loop():
        yield hooks.broker
    else:
        async with hooks.store.lent() as lent:
            yield lent
