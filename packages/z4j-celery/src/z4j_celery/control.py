"""Celery's remote control. The rule: an order no worker answered is an error, not a success."""

from __future__ import annotations

from typing import Any

from z4j_core import EngineError, Unsupported

from .connections import connected

REPLY_S = 1.0
"""How long workers may take to answer, seconds; nobody knows how many there are."""
RESUMED = "z4j_resumed"
"""Option of an `add_consumer` of ours; Celery itself passes it over."""


def ask(
    app: Any, command: str, *args: Any, destination: list[str] | None = None, **options: Any
) -> None:
    """Order all workers, or those of `destination`, and read what they say.

    Raises:
        Unsupported: a worker refused, for instance because its pool cannot grow.
        EngineError: no worker answered within a second.
        EngineUnavailable: no broker, nothing was sent.
    """
    limit = {"limit": len(destination)} if destination else {}
    with connected(app) as connection:
        replies = getattr(app.control, command)(
            *args, destination=destination, reply=True, timeout=REPLY_S,
            connection=connection, **limit, **options,
        )  # fmt: skip
    answers = {host: said for reply in replies or () for host, said in reply.items()}
    refused = {host: said["error"] for host, said in answers.items() if "error" in said}
    if refused:
        raise Unsupported("pool", f"{command}: {refused}")
    if not answers:
        raise EngineError(f"{command}: no worker answered")


def processes(app: Any, worker_id: str) -> int:
    """Count the pool processes of a worker; its `max-concurrency` is stale after a grow.

    Raises:
        EngineError: the worker did not answer.
    """
    with connected(app) as connection:
        asked = app.control.inspect(
            destination=[worker_id], timeout=REPLY_S, limit=1, connection=connection
        )
        stats = (asked.stats() or {}).get(worker_id)
    if stats is None:
        raise EngineError(f"{worker_id} did not answer")
    return len(stats["pool"].get("processes") or ())


def stop(app: Any, task_id: str, worker_id: str | None = None, signal: str | None = None) -> None:
    """Revoke a task everywhere; with a worker and a signal, also signal the child that runs it."""
    more = {"terminate": True, "signal": signal, "destination": [worker_id]} if signal else {}
    with connected(app) as connection:
        app.control.revoke(task_id, connection=connection, **more)
