"""What workers tell SQL stores, and the snapshot, as functions of a transaction and a group.

The rule: none of this needs the lease; each may be told again and changes nothing then.
"""

from __future__ import annotations

from ..lease import RunOf, Sealed
from .tables import Statements

_HEAD = -1


def first_start(db: Statements, group: str, fire_id: str, enq: int, kept_ms: int) -> bool:
    """Whether this copy of a fire may run: the first, or one of the same `enq`."""
    found = db.rows(
        "INSERT INTO z4j_guard AS h (grp, fire_id, enq, until_ms) VALUES (:g, :f, :q, {now} + :k)"
        " ON CONFLICT (grp, fire_id) DO UPDATE"
        " SET enq = excluded.enq, until_ms = excluded.until_ms"
        " WHERE h.until_ms <= {now} OR h.enq = excluded.enq RETURNING enq",
        {"g": group, "f": fire_id, "q": enq, "k": kept_ms},
    )
    return bool(found)


def forget_start(db: Statements, group: str, fire_id: str) -> None:
    """Let the next copy of a fire start."""
    db.rows("DELETE FROM z4j_guard WHERE grp = :g AND fire_id = :f", {"g": group, "f": fire_id})


def was_started(db: Statements, group: str, fire_id: str) -> bool:
    """Whether a copy of this fire has ever begun, as far as the guard remembers."""
    return bool(
        db.rows(
            "SELECT 1 FROM z4j_guard WHERE grp = :g AND fire_id = :f AND until_ms > {now}",
            {"g": group, "f": fire_id},
        )
    )


def run_started(db: Statements, group: str, schedule: str, fire_id: str, started: bool) -> None:  # noqa: FBT001
    """Note that a fire was sent, or runs."""
    db.rows(
        "INSERT INTO z4j_run AS r (grp, schedule, fire_id, since_ms, seen_ms, started, ended)"
        " SELECT :g, :s, :f, n.at, n.at, :b, 0 FROM (SELECT {now} AS at) AS n WHERE true"
        " ON CONFLICT (grp, schedule, fire_id) DO UPDATE SET seen_ms = excluded.seen_ms,"
        " started = {greatest}(r.started, excluded.started) WHERE r.ended = 0",
        {"g": group, "s": schedule, "f": fire_id, "b": int(started)},
    )


def run_ended(db: Statements, group: str, schedule: str, fire_id: str, failed: bool) -> int:  # noqa: FBT001
    """Note that a run ended for good; how many failed in a row by now."""
    values = {"g": group, "s": schedule, "f": fire_id}
    first = db.rows(
        "INSERT INTO z4j_run AS r (grp, schedule, fire_id, since_ms, seen_ms, started, ended)"
        " SELECT :g, :s, :f, n.at, n.at, 1, 1 FROM (SELECT {now} AS at) AS n WHERE true"
        " ON CONFLICT (grp, schedule, fire_id) DO UPDATE SET seen_ms = excluded.seen_ms, ended = 1"
        " WHERE r.ended = 0 RETURNING 1",
        values,
    )
    if first:
        db.rows(
            "INSERT INTO z4j_cursor AS c"
            " (grp, schedule, generation, slot_ms, fires, failures, last)"
            " VALUES (:g, :s, -1, 0, 0, :n, :l) ON CONFLICT (grp, schedule) DO UPDATE"
            " SET failures = (c.failures + 1) * excluded.failures, last = excluded.last",
            {"g": group, "s": schedule, "n": int(failed), "l": "failed" if failed else "success"},
        )
    found = db.rows(
        "SELECT failures FROM z4j_cursor WHERE grp = :g AND schedule = :s",
        {"g": group, "s": schedule},
    )
    return int(found[0][0]) if found else 0


def running(db: Statements, group: str, schedule: str, unseen_ms: int) -> list[RunOf]:
    """Runs that have not ended and were seen lately, the oldest first."""
    found = db.rows(
        "SELECT fire_id, since_ms, seen_ms, started FROM z4j_run WHERE grp = :g AND schedule = :s"
        " AND ended = 0 AND seen_ms > {now} - :u ORDER BY since_ms, fire_id",
        {"g": group, "s": schedule, "u": unseen_ms},
    )
    return [RunOf(row[0], row[1], row[2], bool(row[3])) for row in found]


def reset_failures(db: Statements, group: str, schedule: str) -> None:
    """Start to count failures anew."""
    db.rows(
        "UPDATE z4j_cursor SET failures = 0 WHERE grp = :g AND schedule = :s",
        {"g": group, "s": schedule},
    )


def forget_old(db: Statements, group: str, kept_ms: int) -> None:
    """Let go of guards and runs that are out of date."""
    values = {"g": group, "k": kept_ms}
    db.rows("DELETE FROM z4j_guard WHERE grp = :g AND until_ms <= {now}", {"g": group})
    db.rows("DELETE FROM z4j_run WHERE grp = :g AND seen_ms <= {now} - :k", values)


def snapshot(db: Statements, group: str) -> Sealed | None:
    """The newest snapshot, None where none was put."""
    found = db.rows("SELECT bucket, rev, body FROM z4j_snapshot WHERE grp = :g", {"g": group})
    rows = {row[0]: (row[1], bytes(row[2])) for row in found}
    head = rows.pop(_HEAD, None)
    if head is None:
        return None
    return Sealed(head[0], head[1], {number: body for number, (_, body) in rows.items()})


def put_snapshot(db: Statements, group: str, sealed: Sealed) -> bool:
    """Keep a snapshot unless an equal or newer one is there; whether it was kept."""
    put = (
        "INSERT INTO z4j_snapshot AS s (grp, bucket, rev, body) VALUES (:g, :b, :r, :d)"
        " ON CONFLICT (grp, bucket) DO UPDATE SET rev = excluded.rev, body = excluded.body"
    )
    head = {"g": group, "b": _HEAD, "r": sealed.rev, "d": sealed.head}
    if not db.rows(f"{put} WHERE s.rev < excluded.rev RETURNING 1", head):
        return False
    db.each(
        put,
        [
            {"g": group, "b": number, "r": sealed.rev, "d": body}
            for number, body in sealed.buckets.items()
        ],
    )
    return True
