"""The brain as a lease store, and fires asked for by a standalone scheduler."""

from __future__ import annotations

from threading import Thread

import pytest
from sqlalchemy import delete, select, update
from websockets.exceptions import ConnectionClosed
from z4j_brain.agents.model import agent_keys
from z4j_brain.agents.model import agents as known_agents
from z4j_brain.commands.model import commands
from z4j_brain.schedules.model import schedule_groups, schedules
from z4j_core.errors import LeaseLost, StoreUnavailable
from z4j_core.scheduler.fires import digest, fire_id
from z4j_core.scheduler.lease import Claim, Lease, Mark, Outcome, Refusal, Stand
from z4j_core.scheduler.leases.brain import BrainStore
from z4j_core.scheduler.leases.calls import Answer
from z4j_core.wire import RecordType
from z4j_core.wire.items import Result, pack_item
from z4j_core.wire.replication import Lease as Asked

from .conftest import CLOCK, PROJECT
from .test_schedules import CANDIDATE, IDS, Desk

REV = "000001.000000000001"
FP = "ab" * 16
ONE, OTHER = "owner-1", "owner-2"
HELD, OTHER_BROKER, OLDER, UNAVAILABLE, REFUSED, NO_AGENT = -1, -2, -3, -4, -5, -6


def asking(agent, app="app"):
    """Asks through the session of an agent."""
    numbers = iter(range(1, 10_000))

    def ask(op, args):
        number = next(numbers)
        asked = Asked(number, int(op), "celery", app, list(args))
        agent.socket.send(agent.wire.send(RecordType.LEASE, asked))
        while True:
            leased = agent.until(RecordType.LEASED)
            if leased.req == number:
                return Answer(leased.status, leased.values)

    return ask


@pytest.fixture
def desk(brain):
    made = Desk(brain)
    made.add(0)
    return made


@pytest.fixture
def agent(desk, agents):
    return agents(groups=[CANDIDATE]).shake()


@pytest.fixture
def store(agent):
    return BrainStore(asking(agent), CLOCK.boottime)


def acquire(store, owner=ONE, rev=REV, fp=FP):
    return store.acquire(owner, ttl_ms=15_000, fp=fp, rev=rev)


def claim(n=0, slot=60_000, generation=1, **more):
    return Claim(IDS[n], generation, slot, fire_id(IDS[n], generation, slot), b"record", **more)


def test_one_leads_and_the_other_hears_until_when(store):
    lease, refused = acquire(store), acquire(store, OTHER)

    assert isinstance(lease, Lease)
    assert lease.rev == REV
    assert isinstance(refused, Refusal)
    assert refused.reason == "held"
    assert refused.expires_ms - refused.store_now_ms > 10_000
    assert acquire(store).epoch == lease.epoch


def test_a_slot_is_claimed_once_and_stays_open_until_it_is_settled(store):
    lease = acquire(store)
    outcomes = store.claim(lease, [claim(), claim(1)])
    again = store.claim(lease, [claim(1, slot=30_000)])
    held = sorted(store.open(), key=lambda fire: fire.schedule)
    store.settle(lease, [Mark(held[0].fire_id, "sent"), Mark(held[1].fire_id, "failed")])

    assert (outcomes, again) == ([Outcome.CLAIMED] * 2, [Outcome.TAKEN])
    assert [(fire.schedule, fire.record, fire.epoch) for fire in held] == [
        (IDS[0], b"record", lease.epoch), (IDS[1], b"record", lease.epoch),
    ]  # fmt: skip
    assert store.open() == []
    assert store.cursors() == {IDS[0]: Stand(1, 60_000, 1), IDS[1]: Stand(1, 60_000, 1)}


def test_a_deposed_leader_writes_nothing(store):
    first = acquire(store)
    store.release(first)
    second = acquire(store, OTHER)

    with pytest.raises(LeaseLost):
        store.claim(first, [claim()])
    with pytest.raises(LeaseLost):
        store.renew(first, ttl_ms=15_000)
    assert second.epoch > first.epoch
    assert store.open() == []


def test_runs_are_counted(store):
    fire = fire_id(IDS[0], 1, 60_000)
    store.run_started(IDS[0], fire, started=True)
    running = store.running(IDS[0])
    failures = store.run_ended(IDS[0], fire, failed=True)

    assert [(run.fire_id, run.started) for run in running] == [(fire, True)]
    assert (failures, store.running(IDS[0])) == (1, [])


def test_who_holds_older_schedules_does_not_lead_and_a_leader_hears_of_newer_ones(desk, store):
    older = acquire(store, rev="000001.000000000000")
    lease = acquire(store)
    desk.edit(0, queue="fast")
    renewed = store.renew(lease, ttl_ms=15_000)

    assert isinstance(older, Refusal)
    assert (older.reason, older.rev) == ("older_snapshot", REV)
    assert renewed.rev == "000001.000000000002"


def test_another_broker_is_refused(store):
    store.release(acquire(store))
    refused = acquire(store, OTHER, fp="cd" * 16)

    assert isinstance(refused, Refusal)
    assert refused.reason == "other_broker"


def test_a_release_wakes_those_who_stand_by(agents, store):
    standby = agents(groups=[CANDIDATE]).shake()
    store.release(acquire(store))

    woken = standby.until(RecordType.LEASED)
    assert (woken.req, woken.status) == (0, 0)


def test_who_leads_is_known_by_its_session(brain, agent, store):
    lease = acquire(store)

    with brain.db.reading() as conn:
        row = conn.execute(select(schedule_groups)).one()
    assert (row.leader, row.epoch) == (agent.stream.hex(), lease.epoch)


def test_nonsense_and_engines_of_others_are_answered_and_the_session_goes_on(agent):
    ask, foreign = asking(agent), asking(agent, app="not-mine")

    answers = [ask(99, []), ask(1, ["x"]), ask(5, [ONE, 1, [["a"]]]), foreign(4, [None])]

    assert [answer.status for answer in answers] == [UNAVAILABLE] * 3 + [UNAVAILABLE]
    assert ask(4, [None]).status == 0


def test_a_database_that_does_not_answer_is_a_store_that_is_away(brain, store, monkeypatch):
    from contextlib import contextmanager

    from sqlalchemy.exc import OperationalError

    @contextmanager
    def away():
        raise OperationalError("", {}, OSError("gone"))
        yield

    lease = acquire(store)
    monkeypatch.setattr(brain.db, "writing", away)
    with pytest.raises(StoreUnavailable):
        store.claim(lease, [claim()])


# ------------------------------------------------------------------ the standalone scheduler


@pytest.fixture
def central(desk, brain, agents):
    """A session of a scheduler's key, an agent that can fire, and a slot that is due."""
    key = brain.key()
    with brain.db.writing() as conn:
        conn.execute(
            update(agent_keys).where(agent_keys.c.cred_id == key.cred_id).values(role="scheduler")
        )
        conn.execute(update(schedules).values(effective_ms=0, not_before_ms=0))
        conn.execute(update(schedule_groups).values(mode="central", store="brain"))
    scheduler = agents(key=key, apps=(), role="scheduler").shake()
    row = desk.do(lambda conn: conn.execute(select(schedules)).one())
    now_ms = CLOCK.wall_us() // 1000
    anchor = row.created // 1000 // 1000 * 1000
    slot = anchor + (now_ms - anchor) // 60_000 * 60_000
    return Central(brain, scheduler, agents, row, slot)


class Central:
    def __init__(self, brain, scheduler, agents, row, slot):
        self.brain, self.agents, self.row, self.slot = brain, agents, row, slot
        self.ask = asking(scheduler)
        status, values = self.ask(1, [ONE, 15_000, bytes.fromhex(FP), REV])
        assert status == 0
        self.epoch = values[0]

    def fire(self, **more):
        wish = {"owner": ONE, "epoch": self.epoch, "schedule": IDS[0], "generation": 1,
                "slot": self.slot} | more  # fmt: skip
        return self.ask(11, list(wish.values()))

    def ordered(self):
        with self.brain.db.reading() as conn:
            return conn.execute(select(commands).where(commands.c.verb == "fire")).mappings().all()


def answer(agent, state, code=""):
    """Carry a command out, as an agent does."""
    command = agent.until(RecordType.COMMAND)
    agent.open(1, klass=1)
    agent.events(1, [pack_item(Result(3, CLOCK.wall_us(), command.cmd_id, state, code, "", {}))])
    return command


def test_a_due_slot_is_fired_with_the_arguments_of_the_brains_own_row(central):
    worker = central.agents(verbs={"fire": 1}).shake()
    said = []
    thread = Thread(target=lambda: said.append(answer(worker, 2)))
    thread.start()
    status, _ = central.fire()
    thread.join(5)

    (command,) = said
    assert status == 0
    assert command.verb == "fire"
    assert command.params["fire_id"] == fire_id(IDS[0], 1, central.slot)
    assert command.params["digest"] == digest("t", [], {})
    assert command.params["invocation"]["args"] == "[]"
    assert (command.params["trigger"], command.params["slot"]) == (1, central.slot)


def test_what_the_agent_refuses_is_refused(central):
    worker = central.agents(verbs={"fire": 1}).shake()
    thread = Thread(target=lambda: answer(worker, 4, "policy.level"))
    thread.start()
    found = central.fire()
    thread.join(5)

    assert (found.status, list(found.values)) == (REFUSED, ["policy.level"])


def test_without_an_agent_there_is_none(central):
    assert central.fire().status == NO_AGENT


@pytest.mark.parametrize(
    "more",
    [
        {"args": ["free", "arguments"]},
        {"schedule": IDS[5]},
        {"slot": 2**52},
        {"slot": 1},
        {"generation": 2},
        {"slot": "now"},
    ],
    ids=["free args", "foreign schedule", "future slot", "no slot", "old generation", "no number"],
)
def test_s11_a_standalone_scheduler_gets_nothing_but_a_due_slot_of_its_group(central, more):
    central.agents(verbs={"fire": 1}).shake()

    assert central.fire(**more).status == REFUSED
    assert central.ordered() == []


def test_a_scheduler_that_does_not_lead_fires_nothing(central):
    central.agents(verbs={"fire": 1}).shake()

    assert central.fire(owner=OTHER).status == HELD
    assert central.fire(epoch=central.epoch - 1).status == HELD
    assert central.ordered() == []


def test_a_schedulers_key_may_lead_and_fire_and_nothing_else_and_an_agents_may_not_fire(
    central, agent
):
    statuses = [central.ask(op, [IDS[0]]).status for op in (8, 9, 12)]
    ask = asking(agent)

    assert statuses == [REFUSED] * 3
    assert ask(11, [ONE, 1, IDS[0], 1, 60_000]).status == UNAVAILABLE
    assert ask(13, [ONE, central.epoch, []]).status == UNAVAILABLE


def test_s11_a_schedulers_key_is_no_agent_whatever_it_says(brain, desk, agents):
    key = brain.key()
    with brain.db.writing() as conn:
        own = agent_keys.c.cred_id == key.cred_id
        conn.execute(update(agent_keys).where(own).values(role="scheduler"))
        conn.execute(update(schedule_groups).values(mode="central", store="brain"))
    scheduler = agents(key=key, verbs={"fire": 1, "retry": 3}, groups=[CANDIDATE]).shake()

    with brain.db.reading() as conn:
        assert conn.execute(select(known_agents.c.apps)).scalar() == []
    page = scheduler.until(RecordType.SCHEDULES)
    assert bytes.fromhex(key.cred_id) in {seal.cred_id for seal in page.macs}
    with pytest.raises(ConnectionClosed) as ended:
        scheduler.open()
    assert ended.value.rcvd.code == 4403


@pytest.fixture(autouse=True)
def no_leases(db):
    """The tables of leases are no part of the brain's own schema."""
    from sqlalchemy import text

    with db.writing() as conn:
        for name in ("lease", "cursor", "open", "run"):
            conn.execute(text(f"DELETE FROM z4j_{name}"))
        conn.execute(delete(commands).where(commands.c.project_id == PROJECT))
