"""Schedules on their way to agents: pushed at once, sealed, and whole after any gap."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update
from z4j_brain.agents import service as keys
from z4j_brain.schedules import copies, groups, service
from z4j_brain.schedules.model import schedule_groups, schedules
from z4j_brain.schedules.service import By, New
from z4j_brain.schedules.store import Place
from z4j_brain.schedules.written import days_off, replica_of
from z4j_core.errors import StoreError
from z4j_core.scheduler.document import read_replica
from z4j_core.scheduler.snapshot import applied, prove
from z4j_core.wire import Credential, RecordType, parse_key_id, parse_secret
from z4j_core.wire.bodies import Group, Want

from .conftest import CLOCK, PROJECT

PLACE = Place(PROJECT, "celery", "app")
IDS = [f"0195{n:04x}-0000-7000-8000-000000000000" for n in range(64)]
CANDIDATE = Group("celery", "app", candidate=True, era=0, revision=0)


class Desk:
    """An operator at the brain's own tables; each edit wakes the gateway, as the API does."""

    def __init__(self, brain):
        self.brain = brain

    def by(self):
        now_us = CLOCK.wall_us()
        return By(project_id=PROJECT, name="op", via="ui", now_us=now_us, entry_id=f"{now_us:032x}")

    def do(self, work):
        with self.brain.db.writing() as conn:
            found = work(conn)
        self.brain.wake()
        return found

    def add(self, n=0, **fields):
        document = {"name": f"s{n}", "task": "t", "specs": [{"kind": "interval", "every": 60}]}
        new = New(IDS[n], PLACE)
        return self.do(lambda conn: service.create(conn, self.by(), new, document | fields))

    def edit(self, n=0, **fields):
        return self.do(lambda conn: service.edit(
            conn, self.by(), service.one(conn, PROJECT, IDS[n], lock=True), fields
        ))  # fmt: skip

    def delete(self, n=0):
        self.do(lambda conn: service.delete(conn, self.by(), service.one(conn, PROJECT, IDS[n])))


class Shelf:
    """What an agent holds, as it proves and applies what it gets."""

    def __init__(self, agent):
        self.agent = agent
        key_id = parse_key_id(agent.key.key_id)
        self.credential = Credential(*key_id, parse_secret(key_id, agent.key.secret))
        self.held = None
        self.last = None

    def take(self):
        """Take one whole change."""
        parts = [self.agent.until(RecordType.SCHEDULES)]
        while len(parts) < parts[0].pages:
            parts.append(self.agent.until(RecordType.SCHEDULES))
        self.last = parts
        found = applied(self.held, "shop", parts)
        prove(found, self.credential, ("shop", "celery", "app"))
        self.held = found
        return found

    def until(self, revision):
        while self.held is None or self.held.revision < revision:
            self.take()
        return self.held

    def want(self, have=0):
        wants = [Want(64, "celery", "app", have)]
        self.agent.socket.send(self.agent.wire.send(RecordType.WANT, wants))

    def names(self):
        return sorted(read_replica(data).definition.name for data in self.held.schedules.values())


@pytest.fixture
def desk(brain):
    return Desk(brain)


def candidate(agents, **more):
    return Shelf(agents(**{"groups": [CANDIDATE]} | more).shake())


def test_a_candidate_gets_an_edit_within_200_ms_of_its_commit_and_can_prove_it(desk, agents):
    desk.add(0)
    shelf = candidate(agents)
    shelf.until(1)
    took = []
    for n in range(1, 6):
        began = time.monotonic()
        desk.add(n)
        shelf.until(n + 1)
        took.append(time.monotonic() - began)

    assert shelf.names() == [f"s{n}" for n in range(6)]
    assert sorted(took)[2] < 0.2, took
    assert shelf.last[0].from_ == 5


def test_an_edit_is_sent_as_a_delta_and_a_deletion_takes_away(desk, agents):
    for n in range(3):
        desk.add(n)
    shelf = candidate(agents)
    shelf.until(3)
    desk.edit(1, queue="fast")
    shelf.until(4)
    delta = shelf.last
    desk.delete(0)
    shelf.until(5)

    assert ([len(delta[0].upserts), delta[0].from_], delta[0].deletes) == ([1, 3], ())
    assert len(shelf.last[0].deletes) == 1
    assert shelf.names() == ["s1", "s2"]
    assert read_replica(shelf.held.schedules[copies.key_of(IDS[1])]).definition.queue == "fast"


def test_who_is_no_candidate_is_sent_nothing_until_it_asks(desk, agents):
    desk.add(0)
    other = Shelf(agents(groups=[CANDIDATE._replace(candidate=False)]).shake())
    lead = candidate(agents)
    lead.until(1)
    desk.add(1)
    lead.until(2)
    other.want()

    found = other.take()
    assert (found.revision, other.last[0].from_) == (2, 0)


def test_welcome_names_the_newest_state_and_a_gap_is_filled_whole(desk, agents):
    desk.add(0)
    shelf = candidate(agents)
    shelf.until(1)
    assert [(g.era, g.revision) for g in shelf.agent.welcome.groups] == [(1, 1)]
    desk.add(1)
    missed = [shelf.agent.until(RecordType.SCHEDULES)]
    desk.add(2)
    with pytest.raises(StoreError):
        shelf.take()
    shelf.want()
    shelf.until(3)

    assert missed[0].from_ == 1
    assert shelf.last[0].from_ == 0
    assert shelf.names() == ["s0", "s1", "s2"]


def test_who_was_away_for_longer_than_changes_are_kept_gets_everything(desk, agents, brain):
    desk.add(0)
    with brain.db.writing() as conn:
        conn.execute(update(schedule_groups).values(revision=1_000))
        conn.execute(update(schedules).values(revision=900))
    near = candidate(agents, groups=[CANDIDATE._replace(era=1, revision=999)])
    far = candidate(agents, groups=[CANDIDATE._replace(era=1, revision=700)])
    brain.wake()

    near_page, far_page = (s.agent.until(RecordType.SCHEDULES) for s in (near, far))
    assert (near_page.from_, near_page.to, len(near_page.upserts)) == (999, 1_000, 0)
    assert (far_page.from_, far_page.to, len(far_page.upserts)) == (0, 1_000, 1)


def test_a_large_group_comes_in_pages(desk, agents):
    for n in range(12):
        desk.add(n, kwargs={"text": "x" * 40_000})
    shelf = candidate(agents)

    shelf.until(12)
    assert len(shelf.last) >= 3
    assert len(shelf.names()) == 12


def test_every_live_key_can_prove_it_and_a_revoked_one_is_named(desk, agents, brain):
    first, second, revoked = brain.key(), brain.key(), brain.key()
    desk.add(0)
    one, other = candidate(agents, key=first), candidate(agents, key=second)
    with brain.db.writing() as conn:
        keys.revoke_key(conn, revoked.cred_id, CLOCK.wall_us())
        groups.reseal(conn, PROJECT)
    brain.wake()

    for shelf in (one, other):
        found = shelf.until(2)
        assert found.revoked == {(bytes.fromhex(revoked.cred_id), 1)}
        assert len(found.seals) == 2
    assert one.held.sha == other.held.sha


def test_a_database_that_was_restored_begins_a_new_era(desk, agents):
    desk.add(0)
    shelf = candidate(agents, groups=[CANDIDATE._replace(era=1, revision=500)])

    newest = shelf.agent.welcome.groups[0]
    shelf.until(newest.revision)
    assert newest.era == 2
    assert (shelf.held.era, shelf.last[0].from_) == (2, 0)


def test_what_is_sent_is_what_agents_write_themselves(desk, brain):
    desk.add(0, kwargs={"ü": [1.5, None, True]}, tags=["a"], priority=3, max_fires=4)
    with brain.db.reading() as conn:
        row, days = service.one(conn, PROJECT, IDS[0]), days_off(conn, PROJECT)
        assert copies.encoded(row, days) == replica_of(row, days).encoded()


def test_last_slots_go_along_with_every_change(desk, agents, brain):
    desk.add(0)
    shelf = candidate(agents)
    shelf.until(1)
    with brain.db.writing() as conn:
        conn.execute(update(schedules).values(last_slot_ms=77_000, last_generation=1))
    desk.add(1)

    shelf.until(2)
    assert shelf.held.last_slots == {copies.key_of(IDS[0]): (1, 77_000)}
