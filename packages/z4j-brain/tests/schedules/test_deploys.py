"""Sets of schedules that agents report: rolling deployments, and deployments taken back."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import update
from z4j_brain.agents.model import agents
from z4j_brain.errors import Problem
from z4j_brain.schedules import deploys
from z4j_brain.schedules.deploys import Name

ONE, TWO, THREE = "01" * 8, "02" * 8, "03" * 8
NIGHTLY = {"task": "shop.bill", "specs": [{"kind": "cron", "expr": "0 2 * * *"}]}
LATER = {"task": "shop.bill", "specs": [{"kind": "cron", "expr": "0 4 * * *"}]}


class Fleet:
    """Agents that report sets, and the brain that looks at them."""

    def __init__(self, desk):
        self.desk = desk
        self.world = desk.world
        self.name = Name(desk.world.shop, "shop")

    def start(self, digest, tag="shop"):
        """An agent that reports a set; its session."""
        session = os.urandom(16).hex()
        self.desk.connect(session=session, declared=[[tag, digest]])
        return session

    def stop(self, *sessions):
        with self.world.brain.db.writing() as conn:
            for session in sessions:
                conn.execute(
                    update(agents).where(agents.c.session == session).values(connected=False)
                )

    def bring(self, digest, **documents):
        """The body of a set."""
        with self.world.brain.db.writing() as conn:
            deploys.keep(conn, self.name, digest, documents, self.world.clock.us)

    def look(self):
        """What is applied now, as a brain's turn does it."""
        self.world.clock.us += 1_000_000
        now, applied = self.world.clock.us, []
        with self.world.brain.db.reading() as conn:
            found = deploys.open_tags(conn, [self.world.shop], now)
        for name, digest in found:
            with self.world.brain.db.writing() as conn:
                if deploys.apply(conn, name, digest, now, os.urandom):
                    applied.append(digest)
        return applied

    def exprs(self):
        """Name to cron text and whether it is enabled."""
        rows = self.desk.get("schedules")["items"]
        return {row["name"]: (row["specs"][0]["expr"], row["enabled"]) for row in rows}


@pytest.fixture
def fleet(desk):
    return Fleet(desk)


def test_a_set_nobody_reported_before_is_applied_at_once(fleet):
    fleet.start(ONE)
    fleet.bring(ONE, nightly=NIGHTLY)

    assert fleet.look() == [ONE]

    assert fleet.exprs() == {"nightly": ("0 2 * * *", True)}
    (row,) = fleet.desk.audited()
    assert (row.action, row.actor, row.via) == ("schedule.apply", "app shop", "deploy")


def test_looking_again_changes_nothing_and_leaves_no_trace(fleet):
    fleet.start(ONE)
    fleet.bring(ONE, nightly=NIGHTLY)
    fleet.look()
    before = len(fleet.desk.audited())
    fleet.start(ONE)
    fleet.bring(ONE, nightly=NIGHTLY)

    assert [fleet.look() for _ in range(3)] == [[], [], []]

    assert len(fleet.desk.audited()) == before


def test_a_rolling_deployment_changes_a_schedule_once(fleet):
    old = [fleet.start(ONE) for _ in range(3)]
    fleet.bring(ONE, nightly=NIGHTLY)
    fleet.look()
    applied = []

    for session in old:
        fleet.start(TWO)
        fleet.bring(TWO, nightly=LATER)
        applied += fleet.look()
        fleet.stop(session)
        applied += fleet.look()

    assert applied == [TWO]
    assert fleet.exprs() == {"nightly": ("0 4 * * *", True)}


def test_a_deployment_that_is_taken_back_counts_once_all_agents_report_it(fleet):
    new = [fleet.start(TWO) for _ in range(2)]
    fleet.bring(ONE, nightly=NIGHTLY)
    fleet.start(ONE)
    fleet.look()
    fleet.bring(TWO, nightly=LATER)
    fleet.look()
    assert fleet.exprs() == {"nightly": ("0 4 * * *", True)}

    fleet.start(ONE)
    fleet.stop(new[0])
    assert fleet.look() == []
    fleet.stop(new[1])

    assert fleet.look() == [ONE]
    assert fleet.exprs() == {"nightly": ("0 2 * * *", True)}


def test_what_a_new_set_leaves_out_is_switched_off_and_comes_back_with_the_old_one(fleet):
    old = fleet.start(ONE)
    fleet.bring(ONE, nightly=NIGHTLY, hourly=LATER)
    fleet.look()
    new = fleet.start(TWO)
    fleet.bring(TWO, nightly=NIGHTLY)
    fleet.look()
    assert fleet.exprs()["hourly"] == ("0 4 * * *", False)

    fleet.stop(new)
    assert fleet.look() == [ONE]

    assert fleet.exprs()["hourly"] == ("0 4 * * *", True)
    assert old


def test_a_set_of_another_tag_has_no_say(fleet):
    fleet.start(ONE)
    fleet.start(THREE, tag="books")
    fleet.bring(ONE, nightly=NIGHTLY)
    fleet.look()
    fleet.bring(TWO, nightly=LATER)

    assert fleet.look() == []


def test_a_set_that_cannot_be_applied_says_why_and_changes_nothing(fleet):
    fleet.desk.add(name="nightly")
    fleet.start(ONE)
    fleet.bring(ONE, nightly=NIGHTLY, hourly=LATER)
    now = fleet.world.clock.us

    with pytest.raises(Problem, match="somebody else"), fleet.world.brain.db.writing() as conn:
        deploys.apply(conn, fleet.name, ONE, now, os.urandom)
    with fleet.world.brain.db.writing() as conn:
        assert deploys.refuse(conn, fleet.name, ONE, "/schedules/nightly: taken", now)
        assert not deploys.refuse(conn, fleet.name, ONE, "/schedules/nightly: taken", now)

    assert fleet.look() == []
    assert set(fleet.exprs()) == {"nightly"}


def test_of_many_sets_the_last_ones_are_remembered(fleet):
    for number in range(deploys.KEPT + 5):
        fleet.world.clock.us += 1
        fleet.bring(f"{number:016x}", nightly=NIGHTLY)

    with fleet.world.brain.db.reading() as conn:
        known = deploys._sets(conn, fleet.name)
    assert len(known) == deploys.KEPT
    assert f"{0:016x}" not in known


@pytest.mark.parametrize(
    ("tag", "rows"),
    [("", []), ("x" * 65, []), ("shop", [("n", "{")]), ("shop", [("n", "[]")])],
)
def test_what_is_no_set_is_not_kept(tag, rows):
    assert deploys.readable(tag, rows) is None
