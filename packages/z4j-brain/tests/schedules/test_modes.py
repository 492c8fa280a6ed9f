"""A group changes hands: first nobody fires it, and only then somebody else does."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update
from z4j_brain.agents.model import agents
from z4j_brain.schedules import copies, modes
from z4j_brain.schedules.model import schedule_groups, schedules
from z4j_brain.schedules.store import Place

from .conftest import PLACE

CENTRAL = PLACE | {"mode": "central"}
BACK = PLACE | {"mode": "agents"}
GROUP = "{}/celery/redis/0"


class Mover:
    """Moves the group of a desk, and lets time pass."""

    def __init__(self, desk):
        self.desk, self.world = desk, desk.world
        self.place = Place(self.world.shop, "celery", "redis/0")

    def move(self, body, role="admin"):
        return self.desk.post("schedules/groups/move", body, role)

    def wait(self, seconds):
        self.world.clock.us += int(seconds * 1_000_000)

    def finish(self):
        with self.world.brain.db.writing() as conn:
            return modes.finish(conn, self.world.clock.us)

    @property
    def row(self):
        with self.world.brain.db.reading() as conn:
            return conn.execute(select(schedule_groups)).one()

    @property
    def told(self):
        """What agents are told of who fires the group."""
        with self.world.brain.db.reading() as conn:
            return copies.newest(conn, self.place, None).store

    def hold(self, revision):
        """Let every candidate say that it holds a revision."""
        groups = [["celery", "redis/0", True, 1, revision]]
        with self.world.brain.db.writing() as conn:
            conn.execute(update(agents).values(groups=groups))

    def lease(self, until_ms):
        row = {"g": GROUP.format(self.world.shop), "until": until_ms}
        statement = "INSERT INTO z4j_lease VALUES (:g, 'one', 7, :until, 'fp')"
        with self.world.brain.db.writing() as conn:
            conn.execute(text(statement), row)

    def leases(self, table="lease"):
        with self.world.brain.db.reading() as conn:
            query = text(f"SELECT * FROM z4j_{table} WHERE grp = :g")
            return conn.execute(query, {"g": GROUP.format(self.world.shop)}).mappings().all()


@pytest.fixture
def mover(desk):
    desk.connect()
    desk.add()
    return Mover(desk)


@pytest.fixture(autouse=True)
def no_leases(world):
    """The tables of leases are no part of the brain's own schema."""
    with world.brain.db.writing() as conn:
        for name in ("lease", "cursor"):
            conn.execute(text(f"DELETE FROM z4j_{name}"))


def test_a_move_begins_with_nobody(mover):
    before = mover.told
    found = mover.move(CENTRAL)

    assert found.status_code == 202
    assert before is None
    assert (found.json()["mode"], found.json()["moving_to"]) == ("agents", "central")
    assert mover.told == {"kind": "none", "mode": "agents"}
    assert mover.row.revision == 2
    assert mover.desk.audited()[-1].action == "schedule.move"


def test_it_ends_when_all_who_could_lead_hold_that_revision(mover):
    mover.move(CENTRAL)
    mover.hold(1)
    mover.wait(10)
    early = mover.finish()
    mover.hold(2)
    done = mover.finish()

    assert (early, done) == (set(), {mover.place})
    assert mover.told == {"kind": "brain", "mode": "central"}
    assert mover.row.revision == 3


def test_whoever_let_go_has_time_to_tell_of_its_last_fire(mover):
    mover.move(CENTRAL)
    mover.hold(2)
    mover.wait(1)

    assert mover.finish() == set()


def test_while_a_lease_is_held_it_does_not_end_however_long_that_is(mover):
    mover.move(CENTRAL)
    mover.hold(2)
    mover.lease(until_ms=1 << 50)
    mover.wait(3_600)

    assert mover.finish() == set()


def test_an_agent_that_never_says_so_holds_it_up_for_the_longest_lease_there_is(mover):
    mover.move(CENTRAL)
    mover.hold(1)
    mover.wait(30)
    early = mover.finish()
    mover.wait(33)

    assert (early, mover.finish()) == (set(), {mover.place})


def test_a_leader_that_is_not_connected_is_waited_for(mover):
    with mover.world.brain.db.writing() as conn:
        conn.execute(update(schedule_groups).values(leader="somebody"))
    mover.move(CENTRAL)
    mover.hold(2)
    mover.wait(30)

    assert mover.finish() == set()


def test_the_new_store_begins_where_the_old_one_ended(mover):
    with mover.world.brain.db.writing() as conn:
        conn.execute(update(schedules).values(last_slot_ms=77_000, last_generation=3))
    mover.move(CENTRAL)
    mover.hold(2)
    mover.wait(5)
    mover.finish()

    (cursor,) = mover.leases("cursor")
    assert (cursor["generation"], cursor["slot_ms"]) == (3, 77_000)


def test_a_cursor_that_is_further_stays(mover):
    mover.move(CENTRAL)
    mover.hold(2)
    mover.wait(5)
    mover.finish()
    with mover.world.brain.db.writing() as conn:
        row = conn.execute(select(schedules)).one()
        conn.execute(update(schedules).values(last_slot_ms=50_000, last_generation=1))
        statement = "INSERT INTO z4j_cursor VALUES (:g, :s, 2, 90000, 4, 0, '')"
        conn.execute(text(statement), {"g": GROUP.format(mover.world.shop), "s": row.id})
    mover.move(BACK | {"store": "brain"})
    mover.hold(4)
    mover.wait(5)
    mover.finish()

    (cursor,) = mover.leases("cursor")
    assert (cursor["slot_ms"], cursor["fires"]) == (90_000, 4)
    assert mover.told == {"kind": "brain", "mode": "agents"}


def test_the_broker_of_the_one_before_is_forgotten(mover):
    mover.lease(until_ms=0)
    mover.move(CENTRAL)
    mover.hold(2)
    mover.wait(5)
    mover.finish()

    assert mover.leases() == []


def test_there_and_back_again_is_as_it_was(mover):
    for body, revision in ((CENTRAL, 2), (BACK, 4)):
        mover.move(body)
        mover.hold(revision)
        mover.wait(5)
        mover.finish()

    assert mover.told is None
    assert (mover.row.mode, mover.row.store, mover.row.moving) == ("agents", None, None)


def test_a_group_that_moves_is_not_moved_again_nor_one_to_where_it_is(mover):
    same = mover.move(BACK).json()
    mover.move(CENTRAL)
    twice = mover.move(BACK).json()

    assert (same["code"], twice["code"]) == ("schedule.group_same", "schedule.group_moving")


def test_what_is_no_group_is_not_moved(mover):
    assert mover.move(CENTRAL | {"app": "typo"}).status_code == 404


def test_it_takes_an_admin(mover):
    assert mover.move(CENTRAL, role="operator").status_code == 403


def test_a_central_group_without_a_scheduler_says_so(mover):
    mover.move(CENTRAL)
    mover.hold(2)
    mover.wait(5)
    mover.finish()

    (group,) = mover.desk.get("schedules/groups")["items"]
    assert "no z4j-scheduler is connected" in group["why"]


def test_in_a_browser_it_takes_a_fresh_proof(mover):
    mover.desk.as_("admin")
    mover.wait(11 * 60)
    answer = mover.move(CENTRAL)

    assert (answer.status_code, answer.json()["code"]) == (403, "auth.step_up")


def test_while_it_moves_it_says_what_it_waits_for(mover):
    def waits():
        (group,) = mover.desk.get("schedules/groups")["items"]
        return group["waits_for"]

    before = waits()
    mover.move(CENTRAL)
    mover.hold(1)
    unheard = waits()
    mover.hold(2)
    settling = waits()
    mover.lease(until_ms=1 << 50)
    held = waits()

    assert before is None
    assert unheard == "a process has not yet heard of it"
    assert settling == "whoever let go may still tell of its last fire"
    assert held == "somebody still holds the lease in this server"


def test_where_who_led_is_away_it_says_how_long_its_lease_may_run(mover):
    with mover.world.brain.db.writing() as conn:
        conn.execute(update(schedule_groups).values(leader="somebody"))
    mover.move(CENTRAL)
    mover.hold(2)
    mover.wait(30)

    (group,) = mover.desk.get("schedules/groups")["items"]
    assert group["waits_for"] == "who led is not connected: its lease is over in 32 s"


def test_a_group_tells_how_many_schedules_would_move_and_who_could_take_them(mover):
    mover.desk.add(name="another")
    mover.desk.connect(role="scheduler", apps=[])

    (group,) = mover.desk.get("schedules/groups")["items"]
    assert (group["schedules"], group["schedulers"]) == (2, 1)


def test_agents_of_a_group_that_a_scheduler_fires_do_not_stand_by(mover):
    mover.move(CENTRAL)
    mover.hold(2)
    mover.wait(5)
    mover.finish()

    (group,) = mover.desk.get("schedules/groups")["items"]
    assert group["candidates"] == []
    assert "fired by a z4j-scheduler" in group["others"][0]["why"]
