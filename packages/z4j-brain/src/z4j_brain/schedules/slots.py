"""One due slot, for a scheduler that runs by itself. The rule: whoever leads may fire what is due.

The lease is looked at in the transaction that orders the fire: it cannot be lost in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from z4j_core.scheduler.lease import group_of

from ..commands.model import commands
from ..db.rootkeys import RootKeys
from ..errors import Conflict
from . import leases, orders, store, timing
from .orders import TIMER, Fire
from .service import By
from .store import Place
from .written import days_off, definition_of

NAME = "z4j-scheduler"
_HELD = (
    "SELECT epoch FROM z4j_lease WHERE grp = :grp AND owner = :owner AND epoch = :epoch"
    " AND expires_ms > {now} {lock}"
)


class Wish(NamedTuple):
    """Which slot shall fire, and by what right."""

    place: Place
    owner: str
    epoch: int
    schedule: str
    generation: int
    slot: int


class No(NamedTuple):
    """Why not."""

    code: str
    why: str


def read_wish(place: Place, args: Sequence[Any]) -> Wish:
    """What a scheduler asks for.

    Raises:
        ValueError: it asks for more than a slot, or in another form.
    """
    kinds = (str, int, str, int, int)
    if len(args) != len(kinds):
        raise ValueError("a slot is owner, epoch, schedule, generation and slot, and no more")
    for value, kind in zip(args, kinds, strict=True):
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError("a slot is owner, epoch, schedule, generation and slot")  # noqa: TRY004 - an answer
    return Wish(place, *args)


def order(conn: Connection, roots: RootKeys, wish: Wish, cmd_id: str, now_us: int) -> str | No:
    """Order the fire of a slot; the id of its command, or why there is none."""
    values = {"grp": group_of(*wish.place), "owner": wish.owner, "epoch": wish.epoch}
    if not leases.over(conn).rows(_HELD, values):
        return No("lease", "somebody else leads this group")
    row = store.one(conn, wish.place.project_id, wish.schedule)
    if row is None or store.place_of(row) != wish.place:
        return No("schedule", "no such schedule in this group")
    trigger, floor = timing.trigger_of(row, days_off(conn, row.project_id)), timing.floor_ms(row)
    if trigger is None or floor is None or wish.generation != row.generation:
        return No("schedule", "it does not fire, or was changed")
    if not floor - 1 < wish.slot <= now_us // 1000 or not trigger.contains(wish.slot):
        return No("slot", "this is no slot that is due")
    by = By(
        project_id=row.project_id, name=NAME, via="scheduler", now_us=now_us, entry_id="",
        user_id=NAME,
    )  # fmt: skip
    fire = Fire(row=row, definition=definition_of(row), slot_ms=wish.slot, trigger=TIMER)
    try:
        return orders.order(conn, roots, fire, by, cmd_id)
    except Conflict as error:
        return No(error.code, error.detail)


def state_of(conn: Connection, cmd_id: str) -> tuple[str, str]:
    """How a command stands, and the code of its result."""
    query = select(commands.c.state, commands.c.result).where(commands.c.cmd_id == cmd_id)
    row = conn.execute(query).one()
    return row.state, str((row.result or {}).get("code") or row.state)
