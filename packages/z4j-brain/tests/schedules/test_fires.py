"""Fires as agents tell them: once each, forward only, joined with their tasks, shown by page."""

from __future__ import annotations

import os
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import insert, select, text
from z4j_brain.agents.model import stream_owners, streams
from z4j_brain.ingest.apply import apply
from z4j_brain.ingest.batch import Batch
from z4j_brain.ingest.items import decode_items
from z4j_brain.ingest.postgresql import PostgresWriter
from z4j_brain.ingest.sqlite import SqliteWriter
from z4j_brain.schedules import firerows
from z4j_brain.schedules.model import fires
from z4j_brain.tasks.model import ref_of, tasks
from z4j_core.scheduler.fires import fire_id, manual_id
from z4j_core.wire.items import Fire, Task, pack_item

from .conftest import POLL

CLAIMED, BUFFERED, SENT, SKIPPED, MISSED, FAILED, SUPPRESSED = 1, 2, 3, 4, 5, 8, 9
TIMER, MANUAL = 1, 2
QUEUED, RUNNING, FAILED_TASK, SUCCEEDED = 2, 3, 8, 9


class Ledger:
    """An agent that tells fires and tasks."""

    def __init__(self, world, project=None):
        self.world = world
        self.project = project or world.shop
        self.writer = SqliteWriter() if world.brain.db.is_sqlite else PostgresWriter()
        self.stream, self.segment, self.offset = os.urandom(16).hex(), os.urandom(8).hex(), 0
        us = world.clock.us
        own = {"stream": self.stream, "project_id": self.project, "cred_id": "c", "epoch": 1}
        with world.brain.db.writing() as conn:
            conn.execute(insert(stream_owners).values(own))
            conn.execute(insert(streams).values(
                own | {"cls": 1, "segment": self.segment, "opened": us, "touched": us},
            ))  # fmt: skip

    def tell(self, *items, again=False):
        """Send items; with `again` another stream tells the same."""
        body = msgspec.msgpack.encode([msgspec.Raw(pack_item(item)) for item in items])
        first, self.offset = self.offset + 1, self.offset + len(items)
        batch = Batch(self.project, self.stream, 1, self.segment, 1, first, decode_items(body))
        with self.world.brain.db.writing() as conn:
            _, changes = apply(conn, self.writer, [batch], self.world.clock.us)
        return changes[0]

    def fire(self, schedule, slot, status=SENT, **known):
        ident = known.pop("ident", None) or fire_id(schedule["id"], schedule["generation"], slot)
        at = known.pop("at", None) or self.world.clock.us
        line = Fire(
            4, at, "celery", "redis/0", UUID(schedule["id"]).bytes, schedule["generation"], slot,
            None, UUID(ident).bytes, status, TIMER, 7, schedule["revision"], slot * 1000, 12, 1,
            1, "2026-05-28T22:27:00", 0,
        )  # fmt: skip
        return line._replace(**known)

    def task(self, ident, state, **known):
        kind = {QUEUED: 1, RUNNING: 4, SUCCEEDED: 6, FAILED_TASK: 7}[state]
        at = self.world.clock.us + state
        end = at if state in (SUCCEEDED, FAILED_TASK) else None
        return Task(
            1, kind, state, at, "celery", "redis/0", ident, 1, int(state != QUEUED), "shop.poll",
            end=end,
        )._replace(**known)  # fmt: skip

    def rows(self):
        with self.world.brain.db.reading() as conn:
            return list(conn.execute(select(fires).order_by(fires.c.slot_ms, fires.c.fire_id)))


@pytest.fixture
def ledger(world):
    return Ledger(world)


@pytest.fixture
def poll(desk):
    return desk.add(**POLL)


def first_slot(schedule):
    return schedule["next_slot_ms"]


def test_a_fire_is_shown_with_all_that_was_told(desk, ledger, poll):
    slot = first_slot(poll)
    ledger.tell(ledger.fire(poll, slot, CLAIMED, at=slot * 1000 + 5_000))
    change = ledger.tell(ledger.fire(poll, slot, SENT, at=slot * 1000 + 12_000))

    (shown,) = desk.get(f"schedules/{poll['id']}/fires")["items"]
    assert shown == {
        "fire_id": fire_id(poll["id"], 1, slot), "slot_ms": slot, "fold": 0,
        "slot_local": "2026-05-28T22:27:00", "due": slot, "claimed": slot + 5, "sent": slot + 12,
        "lag_ms": 12, "status": "sent", "reason": None, "trigger": "timer", "epoch": 7, "enq": 1,
        "count": 1, "revision": 1, "generation": 1, "actor": None, "task": None,
    }  # fmt: skip
    assert change.schedules == (poll["id"],)
    (named,) = desk.get("fires")["items"]
    assert (named["schedule"], named["schedule_name"]) == (poll["id"], "poll")


def test_a_fire_told_twice_counts_once_and_never_goes_back(desk, ledger, poll):
    slot = first_slot(poll)
    ledger.tell(ledger.fire(poll, slot, CLAIMED), ledger.fire(poll, slot, SENT))
    other = Ledger(desk.world)
    other.tell(ledger.fire(poll, slot, SENT), ledger.fire(poll, slot, CLAIMED, lag_ms=99))

    again = desk.again(poll)
    assert again["fires_total"] == 1
    assert [(row.status, row.lag_ms) for row in ledger.rows()] == [(SENT, 12)]
    assert again["last_slot_ms"] == slot


def test_a_fire_is_joined_with_its_task_whichever_is_told_first(desk, ledger, poll):
    slots = [first_slot(poll) + n * 60_000 for n in range(2)]
    ids = [fire_id(poll["id"], 1, slot) for slot in slots]
    ledger.tell(ledger.task(ids[0], QUEUED), ledger.task(ids[0], SUCCEEDED))
    ledger.tell(ledger.fire(poll, slots[0]), ledger.fire(poll, slots[1]))
    change = ledger.tell(ledger.task(ids[1], FAILED_TASK))

    items = desk.get(f"schedules/{poll['id']}/fires")["items"]
    refs = [ref_of(desk.world.shop, "celery", "redis/0", each) for each in ids]
    assert [each["task"] for each in items] == [
        {"ref": refs[1], "state": "failed"}, {"ref": refs[0], "state": "succeeded"},
    ]  # fmt: skip
    assert change.schedules == (poll["id"],)
    strip = desk.again(poll)["strip"]
    assert [(each["status"], each["state"]) for each in strip] == [
        ("sent", "succeeded"), ("sent", "failed"),
    ]  # fmt: skip


def test_the_task_of_a_fire_is_found_by_its_schedule_even_where_the_engine_cannot_say_so(
    desk, ledger, poll
):
    ident = fire_id(poll["id"], 1, first_slot(poll))
    ledger.tell(ledger.task(ident, QUEUED), ledger.fire(poll, first_slot(poll)))
    ledger.tell(ledger.task("another", QUEUED))

    for q in (f"schedule:{poll['id']}", "schedule:poll", "schedule:po*"):
        (task,) = desk.get("tasks", q=q)["items"]
        assert task["id"] == ident
    assert [t["id"] for t in desk.get("tasks", q="-schedule:poll")["items"]] == ["another"]
    with desk.world.brain.db.reading() as conn:
        row = conn.execute(select(tasks).where(tasks.c.task_id == ident)).one()
    assert (row.via, row.fire_id, row.slot_ms) == (3, ident.replace("-", ""), first_slot(poll))


def test_failures_in_a_row_are_counted_by_their_end_and_forgotten_when_it_is_resumed(
    desk, ledger, poll
):
    for n, state in enumerate((FAILED_TASK, SUCCEEDED, FAILED_TASK, FAILED_TASK)):
        slot = first_slot(poll) + n * 60_000
        desk.world.clock.advance(60)
        ident = fire_id(poll["id"], 1, slot)
        ledger.tell(ledger.fire(poll, slot), ledger.task(ident, state))

    failing = desk.again(poll)
    desk.post(f"schedules/{poll['id']}/pause")
    desk.world.clock.advance(1)
    resumed = desk.post(f"schedules/{poll['id']}/resume").json()

    assert (failing["consecutive_failures"], failing["last_result"]) == (2, "failed")
    assert [each["name"] for each in desk.get("schedules", q="is:failing")["items"]] == []
    assert resumed["consecutive_failures"] == 0


def test_a_second_copy_that_a_worker_dropped_is_seen_on_its_fire_whenever_it_is_told(
    desk, ledger, poll
):
    slot = first_slot(poll)
    blank = ledger.fire(poll, 0, SUPPRESSED, ident=fire_id(poll["id"], 1, slot))._replace(
        schedule=bytes(16), generation=0, epoch=0, revision=0, lag_ms=0, enq=2, slot_local=""
    )
    ledger.tell(blank)
    early = desk.get(f"schedules/{poll['id']}/fires")["items"]
    ledger.tell(ledger.fire(poll, slot, CLAIMED), ledger.fire(poll, slot, SENT))

    (shown,) = desk.get(f"schedules/{poll['id']}/fires")["items"]
    assert early == []
    assert (shown["status"], shown["slot_ms"], shown["enq"]) == ("duplicate_suppressed", slot, 2)
    assert (shown["epoch"], shown["lag_ms"]) == (7, 12)
    assert shown["sent"] is not None
    assert len(ledger.rows()) == 1


def test_an_agent_of_another_project_cannot_tell_fires_of_a_schedule(desk, ledger, poll):
    slot = first_slot(poll)
    foreign = Ledger(desk.world, desk.world.other)
    foreign.tell(ledger.fire(poll, slot, FAILED))
    ledger.tell(ledger.fire(poll, slot))

    assert [row.status for row in ledger.rows()] == [SENT]
    assert desk.again(poll)["strip"][0]["status"] == "sent"


def test_an_id_that_is_not_of_its_slot_is_not_believed(ledger, poll):
    ledger.tell(ledger.fire(poll, first_slot(poll), ident=manual_id(poll["id"], "x")))

    assert ledger.rows() == []


def test_slots_missed_in_a_row_are_one_line_and_move_the_cursor_past_all_of_them(
    desk, ledger, poll
):
    slot = first_slot(poll)
    at = (slot + 10 * 60_000 + 61_000) * 1000
    ledger.tell(ledger.fire(poll, slot, MISSED, at=at, count_=10, reason="late"))

    again = desk.again(poll)
    assert (again["last_slot_ms"], again["last_result"]) == (slot + 9 * 60_000, "missed")
    assert again["fires_total"] == 0


def test_a_fire_by_hand_moves_no_cursor(desk, ledger, poll):
    now_ms = desk.world.clock.us // 1000
    hand = manual_id(poll["id"], "n")
    ledger.tell(
        ledger.fire(poll, now_ms + 5, ident=hand, nonce="n", trigger=MANUAL, actor="operator")
    )

    again = desk.again(poll)
    assert (again["last_slot_ms"], again["fires_total"]) == (None, 1)
    (shown,) = desk.get("fires", trigger="manual")["items"]
    assert (shown["actor"], shown["trigger"]) == ("operator", "manual")


def test_a_leader_that_paused_a_schedule_is_believed_and_it_stays_paused(desk, ledger, poll):
    reason = "paused: 3 failures in a row"
    ledger.tell(ledger.fire(poll, first_slot(poll), SKIPPED, reason=reason))

    again = desk.again(poll)
    assert (again["paused"]["by"], again["paused"]["note"]) == ("z4j", reason)
    assert again["revision"] == poll["revision"] + 1
    assert [row.action for row in desk.audited()] == ["schedule.create", "schedule.pause"]


def test_fires_come_by_page_and_by_what_became_of_them(desk, ledger, poll):
    base = first_slot(poll)
    lines = [
        ledger.fire(poll, base + n * 60_000, SKIPPED if n % 3 == 0 else SENT) for n in range(7)
    ]
    ledger.tell(*lines)

    first = desk.get(f"schedules/{poll['id']}/fires", limit=5)
    rest = desk.get(f"schedules/{poll['id']}/fires", limit=5, cursor=first["next"])
    slots = [each["slot_ms"] for each in first["items"] + rest["items"]]
    skipped = desk.get(f"schedules/{poll['id']}/fires", status="skipped")["items"]
    wrong = desk.ask("GET", "fires", params={"status": "lost"})

    assert slots == [base + n * 60_000 for n in range(6, -1, -1)]
    assert rest["next"] is None
    assert len(skipped) == 3
    assert (wrong.status_code, wrong.json()["field"]) == (422, "status")


def test_the_strip_holds_the_thirty_newest_and_the_lag_is_of_all_but_the_latest_twentieth(
    desk, ledger, poll
):
    base = first_slot(poll)
    lines = [ledger.fire(poll, base + n * 60_000, lag_ms=n) for n in range(40)]
    ledger.tell(*lines)

    again = desk.again(poll)
    assert [each["slot_ms"] for each in again["strip"]] == [
        base + n * 60_000 for n in range(10, 40)
    ]
    assert again["lag_p95_ms"] == 38


def test_a_schedule_that_fired_as_often_as_it_may_has_no_next_slot(desk, ledger):
    made = desk.add(**POLL, max_fires=2)
    base = first_slot(made)
    ledger.tell(ledger.fire(made, base), ledger.fire(made, base + 60_000, SKIPPED))
    left = desk.again(made)["next_slot_ms"]
    ledger.tell(ledger.fire(made, base + 120_000))

    assert left == base + 120_000
    assert desk.again(made)["next_slot_ms"] is None


def test_days_are_counted_where_the_schedule_lives(desk, ledger):
    made = desk.add()
    at = made["next_slot_ms"]
    ledger.tell(
        ledger.fire(made, at, slot_local="2026-05-29T02:00:00", lag_ms=90_000),
        ledger.fire(made, at + 86_400_000, MISSED, slot_local="2026-05-30T02:00:00", count_=4),
        ledger.fire(made, at + 2 * 86_400_000, SKIPPED, slot_local="2026-05-31T02:00:00"),
    )
    ledger.tell(ledger.task(fire_id(made["id"], 1, at), FAILED_TASK))

    days = desk.get(f"schedules/{made['id']}/days", year=2026)["days"]
    blank = {"fires": 0, "failed": 0, "missed": 0, "skipped": 0, "late": 0}
    assert days == [
        blank | {"day": "2026-05-29", "fires": 1, "failed": 1, "late": 1},
        blank | {"day": "2026-05-30", "missed": 4},
        blank | {"day": "2026-05-31", "skipped": 1},
    ]
    assert desk.get(f"schedules/{made['id']}/days", year=2025)["days"] == []


def test_lists_of_fires_read_their_index_and_no_more(desk, ledger, poll):
    """EXPLAIN names the index of each list."""
    ledger.tell(*[ledger.fire(poll, first_slot(poll) + n * 60_000) for n in range(50)])
    lists = {
        "ix_fires_slot": [fires.c.schedule_id == poll["id"]],
        "ix_fires_project": [fires.c.project_id == desk.world.shop],
    }
    for index, where in lists.items():
        assert index in explained(desk.world.brain.db, where)


def explained(db, where):
    with db.reading() as conn:
        if not db.is_sqlite:
            conn.execute(text("SET LOCAL enable_seqscan = off"))
            conn.execute(text("SET LOCAL enable_sort = off"))
        found = []

        def keep(conn_, cursor, statement, parameters, context, many):
            found.append((statement, parameters))

        from sqlalchemy import event

        event.listen(db.engine, "before_cursor_execute", keep)
        try:
            firerows.page(conn, where, None, 10)
        finally:
            event.remove(db.engine, "before_cursor_execute", keep)
        word = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
        statement, parameters = found[-1]
        return "\n".join(map(str, conn.exec_driver_sql(word + statement, parameters)))
