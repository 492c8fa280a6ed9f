"""Around the app's lifespan. The rule: the app's own still runs, inside ours.

A server that ends its processes by a signal runs no exit handlers, so facts are sent here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from z4j_core.agent import current, web

DRAIN_S = 2.0


class Z4J:
    """The agent of an app's processes, under `settings` (as in `Z4J_...`) and the environment."""

    def __init__(self, app: Starlette, settings: Mapping[str, Any] | None = None) -> None:
        """Observe an app; opens no socket and starts no thread before the app does.

        Raises:
            ConfigError: only under the setting `STRICT`.
        """
        self.settings = settings
        self._original: Any = app.router.lifespan_context
        web.begin("fastapi", settings)
        app.router.lifespan_context = self._lifespan

    @asynccontextmanager
    async def _lifespan(self, app: Any) -> AsyncIterator[Any]:
        web.begin("fastapi", self.settings)  # again: an app may live more than once in a process
        web.serve()
        try:
            async with self._original(app) as state:
                yield state
        finally:
            await anyio.to_thread.run_sync(_leave)


def _leave() -> None:
    handle = current()
    if handle is not None:
        handle.close(DRAIN_S)
