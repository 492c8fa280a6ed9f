"""What SQL stores do, as functions of a transaction and a group.

The rule: whoever writes as the leader holds the row of the lease locked until the commit. So claims
of a group come one after the other, and a take-over waits for the one under way. On SQLite the
transaction must be one that writes from its start (BEGIN IMMEDIATE).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from ...errors import LeaseLost
from ..lease import Claim, Lease, Mark, OpenFire, Outcome, Refusal, Stand
from .claims import checked
from .tables import Statements

_HEAD = -1
_NO_CLAIM = -1
_ROW = (
    "INSERT INTO z4j_lease (grp, owner, epoch, expires_ms, fp) VALUES (:g, '', 0, 0, '')"
    " ON CONFLICT (grp) DO NOTHING"
)
_LOCKED = "SELECT owner, epoch, expires_ms, fp, {now} FROM z4j_lease WHERE grp = :g {lock}"
_CURSOR = """
INSERT INTO z4j_cursor (grp, schedule, generation, slot_ms, fires, failures, last)
{rows:g text, s text, n bigint, t bigint, c bigint, x bigint, y text}
ON CONFLICT (grp, schedule) DO UPDATE
SET generation = excluded.generation, slot_ms = excluded.slot_ms, fires = excluded.fires"""
_OPEN = """
INSERT INTO z4j_open (grp, fire_id, schedule, generation, slot_ms, record, state, enq, epoch,
  claimed_ms)
{rows:g text, f text, s text, n bigint, t bigint, r bytea, w text, q bigint, e bigint, now bigint}
ON CONFLICT (grp, fire_id) DO UPDATE SET schedule = excluded.schedule,
  generation = excluded.generation, slot_ms = excluded.slot_ms, record = excluded.record,
  state = excluded.state, enq = excluded.enq, epoch = excluded.epoch,
  claimed_ms = excluded.claimed_ms"""


class Standing(NamedTuple):
    """What those who wait look at."""

    epoch: int
    released: bool
    rev: str


def acquire(
    db: Statements, group: str, owner: str, ttl_ms: int, fp: str, rev: str
) -> Lease | Refusal:
    """Become the leader, or hear why not. The deadline of the lease is for the caller to set."""
    db.rows(_ROW, {"g": group})
    held_by, epoch, exp, held_fp, now = _locked(db, group)
    known = _rev(db, group)
    refused = _refused(held_by != owner and exp > now, held_fp not in {"", fp}, known > rev)
    if refused:
        return Refusal(refused, exp, now, known)
    if exp <= now or held_by != owner:
        epoch = max(epoch + 1, now)
    db.rows(
        "UPDATE z4j_lease SET owner = :o, epoch = :e, expires_ms = :x, fp = :f WHERE grp = :g",
        {"g": group, "o": owner, "e": epoch, "x": now + ttl_ms, "f": fp},
    )
    return Lease(owner, epoch, 0.0, now, known)


def _refused(held: bool, other: bool, older: bool) -> str:  # noqa: FBT001  (three answers)
    if other:
        return "other_broker"
    if older:
        return "older_snapshot"
    return "held" if held else ""


def renew(db: Statements, group: str, lease: Lease, ttl_ms: int) -> Lease:
    """Hold it for longer, and forget what is out of date. Raises LeaseLost."""
    now = fenced(db, group, lease)
    values = {"g": group, "x": now + ttl_ms}
    db.rows("UPDATE z4j_lease SET expires_ms = :x WHERE grp = :g", values)
    return lease._replace(deadline=0.0, store_now_ms=now, rev=_rev(db, group))


def release(db: Statements, group: str, lease: Lease) -> None:
    """Give it back; nothing when it is not held any more."""
    db.rows(
        "UPDATE z4j_lease SET owner = '', expires_ms = 0"
        " WHERE grp = :g AND owner = :o AND epoch = :e AND expires_ms > {now}",
        {"g": group, "o": lease.owner, "e": lease.epoch},
    )


def admit(db: Statements, group: str, fp: str) -> None:
    """Let the group move to another broker; an operator decided so."""
    db.rows("UPDATE z4j_lease SET fp = :f WHERE grp = :g", {"g": group, "f": fp})


def standing(db: Statements, group: str) -> Standing:
    """What a change of which ends a wait."""
    found = db.rows("SELECT epoch, expires_ms FROM z4j_lease WHERE grp = :g", {"g": group})
    epoch, exp = found[0] if found else (0, 0)
    return Standing(epoch, exp == 0, _rev(db, group))


def fenced(db: Statements, group: str, lease: Lease) -> int:
    """Hold the row of the lease until the commit; the time of the database.

    Raises:
        LeaseLost: it ran out, or somebody else holds it.
    """
    found = _locked(db, group)
    if found is None or found[:2] != (lease.owner, lease.epoch) or found[2] <= found[4]:
        raise LeaseLost("the lease ran out, or somebody else holds it")
    return int(found[4])


def _locked(db: Statements, group: str) -> Any:
    found = db.rows(_LOCKED, {"g": group})
    return tuple(found[0]) if found else None


def cursors(db: Statements, group: str) -> dict[str, Stand]:
    """Schedule to how far it has come."""
    found = db.rows(
        "SELECT schedule, generation, slot_ms, fires, failures, last FROM z4j_cursor"
        " WHERE grp = :g AND generation >= 0",
        {"g": group},
    )
    return {row[0]: Stand(*row[1:]) for row in found}


def claim(db: Statements, group: str, lease: Lease, fires: Sequence[Claim]) -> list[Outcome]:
    """Write down who fires which slots; one outcome per claim, in order. Raises LeaseLost."""
    checked(fires)
    now = fenced(db, group, lease)
    known = _stands(db, group, fires)
    mine = _mine(db, group, lease, fires)
    outcomes: list[Outcome] = []
    cursor_rows: list[dict[str, Any]] = []
    open_rows: list[dict[str, Any]] = []
    for fire in fires:
        at = known.get(fire.schedule, Stand(_NO_CLAIM, 0))
        outcome = _outcome(at, fire)
        outcomes.append(Outcome.CLAIMED if fire.fire_id in mine else outcome)
        if outcome is not Outcome.CLAIMED:
            continue
        count = at.fires + 1 if at.generation == fire.generation else 1
        row = {"g": group, "s": fire.schedule, "n": fire.generation, "t": fire.slot_ms}
        cursor_rows.append({**row, "c": count, "x": 0, "y": ""})
        told = {"f": fire.fire_id, "r": fire.record, "w": "claimed", "q": 1, "e": lease.epoch}
        open_rows.append({**row, **told, "now": now})
    db.each(_CURSOR, cursor_rows)
    db.each(_OPEN, open_rows)
    return outcomes


def _outcome(at: Stand, fire: Claim) -> Outcome:
    if at.generation > fire.generation:
        return Outcome.STALE
    if at.generation != _NO_CLAIM and at.slot_ms >= fire.slot_ms:
        return Outcome.TAKEN  # by an older generation too: an edit does not fire a slot again
    spent = at.fires if at.generation == fire.generation else 0
    if fire.max_fires is not None and spent >= fire.max_fires:
        return Outcome.SPENT
    return Outcome.CLAIMED


def _stands(db: Statements, group: str, fires: Sequence[Claim]) -> dict[str, Stand]:
    found = db.rows(
        "SELECT schedule, generation, slot_ms, fires FROM z4j_cursor"
        " WHERE grp = :g AND schedule IN ({names})",
        {"g": group, "names": json.dumps([fire.schedule for fire in fires])},
    )
    return {row[0]: Stand(*row[1:]) for row in found}


def _mine(db: Statements, group: str, lease: Lease, fires: Sequence[Claim]) -> set[str]:
    """Those that this leader claimed before and has not settled: the answer was lost."""
    found = db.rows(
        "SELECT fire_id FROM z4j_open WHERE grp = :g AND epoch = :e AND state = 'claimed'"
        " AND fire_id IN ({names})",
        {"g": group, "e": lease.epoch, "names": json.dumps([fire.fire_id for fire in fires])},
    )
    return {row[0] for row in found}


def settle(db: Statements, group: str, lease: Lease, marks: Sequence[Mark]) -> None:
    """Write down what became of fires. Raises LeaseLost."""
    fenced(db, group, lease)
    kept = [mark for mark in marks if mark.state == "buffered"]
    done = [mark.fire_id for mark in marks if mark.state != "buffered"]
    db.each(
        "UPDATE z4j_open SET state = :s, enq = :q WHERE grp = :g AND fire_id = :f",
        [{"g": group, "f": mark.fire_id, "s": mark.state, "q": mark.enq} for mark in kept],
    )
    db.rows(
        "DELETE FROM z4j_open WHERE grp = :g AND fire_id IN ({names})",
        {"g": group, "names": json.dumps(done)},
    )


def open_fires(db: Statements, group: str) -> list[OpenFire]:
    """Fires that are not settled, oldest slot first."""
    found = db.rows(
        "SELECT fire_id, schedule, generation, slot_ms, record, state, enq, epoch, claimed_ms"
        " FROM z4j_open WHERE grp = :g ORDER BY slot_ms, fire_id",
        {"g": group},
    )
    return [OpenFire._make((*row[:4], bytes(row[4]), *row[5:])) for row in found]


def _rev(db: Statements, group: str) -> str:
    values = {"g": group, "b": _HEAD}
    found = db.rows("SELECT rev FROM z4j_snapshot WHERE grp = :g AND bucket = :b", values)
    return str(found[0][0]) if found else ""
