"""One due slot, for a scheduler that runs by itself. The rule: whoever leads may fire what is due.

The lease is looked at in the transaction that orders the fire: it cannot be lost in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from z4j_core.scheduler.fires import fire_id
from z4j_core.scheduler.lease import group_of
from z4j_core.scheduler.trigger import Due

from ..commands.model import commands
from ..db.rootkeys import RootKeys
from ..errors import Conflict
from . import leases, orders, store, timing, told
from .model import fires
from .orders import CATCHUP, TIMER, Fire
from .service import By
from .store import Place
from .written import days_off, definition_of

NAME = "z4j-scheduler"
HELD = (
    "SELECT epoch FROM z4j_lease WHERE grp = :grp AND owner = :owner AND epoch = :epoch"
    " AND expires_ms > {now} {lock}"
)
_OPEN = "SELECT enq FROM z4j_open WHERE grp = :grp AND fire_id = :fire"
_IN_VAIN = frozenset({"refused", "failed", "expired", "aborted", "indeterminate", "no_answer"})
"""States of a command after which another may be sent for the same fire."""
MOST_COMMANDS = 100
CLAIMED = 1
LARGEST = 1 << 53
"""No number of a slot comes near it, and every database holds it."""
WAIT_US = 10_000_000
"""How long a command waits for an agent: whoever leads asks again sooner."""


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
        is_one = isinstance(value, kind) and not isinstance(value, bool)
        if not is_one or (isinstance(value, int) and abs(value) >= LARGEST):
            raise ValueError("a slot is owner, epoch, schedule, generation and slot")
    return Wish(place, *args)


def order(conn: Connection, roots: RootKeys, wish: Wish, now_us: int) -> str | No | None:
    """Order the fire of a slot; the id of its command, or why there is none.

    None: it was placed before. While a command for it is on its way, that one is answered for.
    """
    values = {"grp": group_of(*wish.place), "owner": wish.owner, "epoch": wish.epoch}
    if not leases.over(conn).rows(HELD, values):
        return No("lease", "somebody else leads this group")
    row = store.one(conn, wish.place.project_id, wish.schedule)
    if row is None or store.place_of(row) != wish.place:
        return No("schedule", "no such schedule in this group")
    name = fire_id(wish.schedule, wish.generation, wish.slot)
    if _was_placed(conn, row.project_id, name):
        return None
    cmd_id, is_new = _command(conn, name)
    if not is_new:
        return cmd_id
    due = _due(conn, wish, row, now_us // 1000, is_claimed=_is_claimed(conn, wish, name))
    if isinstance(due, No):
        return due
    by = By(
        project_id=row.project_id, name=NAME, via="scheduler", now_us=now_us, entry_id="",
        user_id=NAME,
    )  # fmt: skip
    definition = definition_of(row)
    is_late = now_us // 1000 - wish.slot > definition.rules.grace_s * 1000
    why = CATCHUP if is_late else TIMER
    fire = Fire(row=row, definition=definition, slot_ms=wish.slot, trigger=why, wait_us=WAIT_US)
    try:
        found = orders.order(conn, roots, fire, by, cmd_id)
    except Conflict as error:
        return No(error.code, error.detail)
    told.tell(conn, row.project_id, [_claimed(fire, due, wish, now_us)])
    return found


def _due(conn: Connection, wish: Wish, row: Any, now_ms: int, *, is_claimed: bool) -> Due | No:
    """The slot that is asked for, if it is one that may fire now.

    One that was settled before does only where the leader holds it open: then it is tried again.
    """
    trigger = timing.trigger_of(row, days_off(conn, row.project_id))
    floor = timing.floor_ms(row)
    if trigger is None or floor is None or wish.generation != row.generation:
        return No("schedule", "it does not fire, or was changed")
    first = max(row.effective_ms, row.not_before_ms) if is_claimed else floor
    slot = trigger.next(wish.slot - 1) if first - 1 < wish.slot <= now_ms else None
    if slot is None or slot.at_ms != wish.slot:
        return No("slot", "this is no slot that is due")
    return Due(slot, trigger.due_ms(slot, row.id))


def _is_claimed(conn: Connection, wish: Wish, name: str) -> bool:
    values = {"grp": group_of(*wish.place), "fire": name}
    return bool(leases.over(conn).rows(_OPEN, values))


def _was_placed(conn: Connection, project_id: str, name: str) -> bool:
    """Whether an agent said that it placed this fire, or its task is known."""
    query = select(fires.c.sent, fires.c.state).where(
        fires.c.project_id == project_id, fires.c.fire_id == name
    )
    row = conn.execute(query).first()
    return row is not None and (row.sent is not None or row.state is not None)


def _command(conn: Connection, name: str) -> tuple[str, bool]:
    """The id of the command that is on its way for a fire, or of the next one."""
    number = 0
    while True:
        cmd_id = blake2b(f"{name}|{number}".encode(), digest_size=16).hexdigest()
        state = conn.execute(select(commands.c.state).where(commands.c.cmd_id == cmd_id)).scalar()
        if state not in _IN_VAIN or number >= MOST_COMMANDS:
            return cmd_id, state is None
        number += 1


def _claimed(fire: Fire, due: Due, wish: Wish, now_us: int) -> told.Line:
    """The first line about a fire: an agent knows neither its epoch nor its local time."""
    row = fire.row
    return told.Line(
        now_us, row.engine, row.app, row.id, wish.generation, wish.slot, "", fire.id, CLAIMED,
        fire.trigger, wish.epoch, row.revision, due.due_ms * 1000,
        max(now_us // 1000 - due.due_ms, 0), 1, 1, due.slot.local, due.slot.fold, None, None,
    )  # fmt: skip


def state_of(conn: Connection, cmd_id: str) -> tuple[str, str]:
    """How a command stands, and the code of its result."""
    query = select(commands.c.state, commands.c.result).where(commands.c.cmd_id == cmd_id)
    row = conn.execute(query).one()
    return row.state, str((row.result or {}).get("code") or row.state)
