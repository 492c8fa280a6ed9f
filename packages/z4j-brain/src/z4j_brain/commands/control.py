"""Bulks on their way: undone, hastened, paused, aborted, repeated. The rule: a state decides races.

Every change names the states it starts from, in one UPDATE: of two that race, one finds nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from ..errors import Conflict
from . import outbox, store
from .results import recount
from .service import Who, bulk_of


def undo(conn: Connection, project_id: str, bulk_id: str, now_us: int) -> Row[Any]:
    """Take a held bulk back: afterwards nothing of it is ever sent.

    Raises:
        Conflict: `bulk.sent`, it has begun.
    """
    bulk_of(conn, project_id, bulk_id)
    if not store.change_bulk(conn, bulk_id, ["held"], state="undone", finished=now_us):
        raise Conflict("bulk.sent", "it was sent already: abort stops what is left")
    store.take_back(conn, bulk_id, "undone", "bulk.undone")
    recount(conn, bulk_id, now_us)
    return bulk_of(conn, project_id, bulk_id)


_MOVES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "now": (("held",), {"hold_until": 0}),
    "pause": (("running",), {"state": "paused"}),
    "resume": (("paused",), {"state": "running"}),
}


def move(conn: Connection, project_id: str, bulk_id: str, how: str) -> Row[Any]:
    """Send a held bulk now, pause or resume one.

    Raises:
        Conflict: it is in no state for that.
    """
    bulk_of(conn, project_id, bulk_id)
    states, values = _MOVES[how]
    if not store.change_bulk(conn, bulk_id, states, **values):
        raise Conflict("bulk.state", f"only a {states[0]} one can do that")
    return bulk_of(conn, project_id, bulk_id)


def abort(conn: Connection, project_id: str, bulk_id: str, now_us: int) -> list[str]:
    """Send nothing more of a bulk; returns the commands agents should stop.

    Raises:
        Conflict: it is over.
    """
    bulk_of(conn, project_id, bulk_id)
    states = ["held", "running", "paused"]
    if not store.change_bulk(conn, bulk_id, states, state="aborted", finished=now_us):
        raise Conflict("bulk.state", "it is over")
    store.take_back(conn, bulk_id, "undone", "bulk.aborted")
    recount(conn, bulk_id, now_us)
    waiting = store.open_commands(conn, bulk_id)
    return [cmd_id for cmd_id in waiting if outbox.abort(conn, cmd_id, now_us) != "ready"]


def retry_failed(
    conn: Connection, project_id: str, bulk_id: str, who: Who, new_id: str, now_us: int
) -> Row[Any]:
    """A new bulk, running at once, of the items of `bulk_id` that failed or expired.

    Raises:
        Conflict: none did.
    """
    old = bulk_of(conn, project_id, bulk_id)
    store.add_bulk(conn, {
        "id": new_id, "project_id": project_id, "action": old.action, "params": old.params,
        "q": old.q, "as_of": now_us, "by": who.name, "by_id": who.id, "via": who.via,
        "reason": old.reason, "total": 0, "counts": {}, "state": "held", "hold_until": now_us,
        "created": now_us,
    })  # fmt: skip
    total = store.copy_failed(conn, bulk_id, new_id)
    if not total:
        raise Conflict("bulk.state", "no item of it failed")
    store.change_bulk(conn, new_id, ["held"], total=total)
    recount(conn, new_id, now_us)
    return bulk_of(conn, project_id, new_id)
