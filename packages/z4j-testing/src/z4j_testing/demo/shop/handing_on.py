"""To the parcel carriers and the search index. The rule: who is closed today is not told.

Both speak asyncio. A process that does not keeps one loop in a thread for them, made anew after a
fork.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from .keys import OPEN

T = TypeVar("T")
ANSWER_S = 10
_loops: dict[int, asyncio.AbstractEventLoop] = {}
_making = threading.Lock()


def announce(order_id: int, customer: str, items: Sequence[dict[str, Any]]) -> None:
    """Tell the carriers of a parcel."""
    if "arq" in OPEN:
        waited(_announce(order_id, customer, items))


def index(document: int, words: Sequence[str]) -> None:
    """Have words counted by the search."""
    if "taskiq" in OPEN:
        from . import search  # noqa: PLC0415  (loaded once it is asked)

        waited(search.index.kiq(document, list(words)))


def waited(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, run on the loop of this process."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop_of(os.getpid())).result(ANSWER_S)


def _loop_of(pid: int) -> asyncio.AbstractEventLoop:
    with _making:
        if pid not in _loops:
            _loops[pid] = asyncio.new_event_loop()
            threading.Thread(target=_loops[pid].run_forever, daemon=True).start()
        return _loops[pid]


async def pool() -> Any:
    """The carriers' queue, one connection a loop."""
    from arq import create_pool  # noqa: PLC0415  (as above)

    from . import carriers  # noqa: PLC0415  (as above)

    loop = asyncio.get_running_loop()
    if loop not in _pools:
        settings = carriers.WorkerSettings.redis_settings
        _pools[loop] = await create_pool(settings, default_queue_name=carriers.QUEUE)
    return _pools[loop]


_pools: dict[asyncio.AbstractEventLoop, Any] = {}


async def _announce(order_id: int, customer: str, items: Sequence[dict[str, Any]]) -> None:
    await (await pool()).enqueue_job("carriers.announce", order_id, customer, list(items))
