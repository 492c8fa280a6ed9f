"""What serves a group: which store, what passes the policy, which runs are told."""

from __future__ import annotations

from dataclasses import replace

import msgpack
import pytest
from homes import House, schedule, sealed
from toy import ToyEngine
from z4j_core import EventKind, Job
from z4j_core.agent.hosting.choice import choose, fingerprint
from z4j_core.agent.hosting.home import pinned
from z4j_core.agent.hosting.host import GroupHost
from z4j_core.agent.hosting.placing import Placing
from z4j_core.agent.hosting.tracked import Runs, tracked
from z4j_core.agent.runs import ORIGIN
from z4j_core.errors import ConfigError
from z4j_core.model.fires import Status, Why
from z4j_core.scheduler.fires import fire_id, mark
from z4j_core.scheduler.leader.contract import FireFact, Found
from z4j_core.scheduler.snapshot import bucketed, unbucketed
from z4j_core.wire.items import Fire, read_item
from z4j_testing.signals import eventually

ONE = next(iter(schedule(1)))
FIRE = fire_id(ONE, 1, 60_000)
TOY = ("toy", "toyapp")


@pytest.fixture
def house(tmp_path):
    return House(tmp_path, lease_store=f"sqlite:///{tmp_path / 'leases.db'}")


@pytest.fixture
def store(house):
    opened = choose(house.home.place)
    yield opened
    opened.close()


def until(found):
    eventually(found, "the group to be served")


@pytest.mark.parametrize(
    ("given", "kind"),
    [("file", "file"), ("brain", "brain"), ("sqlite:////tmp/z4j-none.db", "sql"),
     ("redis://127.0.0.1:1/0", "redis"), ("postgresql://nobody@127.0.0.1:1/x", "sql")],
)  # fmt: skip
def test_a_setting_says_where_leases_are(tmp_path, given, kind):
    assert choose(House(tmp_path, lease_store=given).home.place).kind == kind


def test_without_a_setting_the_engine_offers_a_store_and_else_the_brain_is_one(tmp_path):
    house = House(tmp_path)
    assert choose(house.home.place).kind == "brain"

    offered = choose(House(tmp_path, lease_store="file").home.place)
    house.engine.lease_store = lambda group, boottime: offered

    assert choose(house.home.place) is offered


def test_a_store_that_the_brain_pins_comes_before_the_setting(tmp_path):
    place = House(tmp_path, lease_store="file").home.place

    assert choose(place._replace(pinned="brain")).kind == "brain"


@pytest.mark.parametrize(
    ("store", "wanted"),
    [
        (None, ""),
        ({}, ""),
        ({"kind": "brain", "mode": "agents"}, "brain"),
        ({"kind": "none", "mode": "agents"}, "none"),
        ({"kind": "brain", "mode": "central"}, "none"),
        ({"kind": "something newer"}, ""),
    ],
)
def test_what_a_snapshot_says_of_its_store_is_what_is_pinned(store, wanted):
    assert pinned(store) == wanted


def test_a_driver_that_is_missing_is_named_with_its_cure(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)

    with pytest.raises(ConfigError, match=r"pip install 'psycopg\[binary\]'"):
        choose(House(tmp_path, lease_store="postgresql://db/x").home.place)


def test_the_same_broker_has_one_fingerprint_and_another_one_another():
    assert fingerprint(ToyEngine("a")) == fingerprint(ToyEngine("a"))
    assert fingerprint(ToyEngine("a")) != fingerprint(ToyEngine("b"))
    assert len(bytes.fromhex(fingerprint(ToyEngine("a")))) == 16


def job(task="shop.charge", **fields):
    return Job(task, id=FIRE, fire=mark(FIRE, 1), **fields)


def test_a_fire_is_placed_under_its_own_id_and_says_what_it_is(house):
    origins = []
    house.engine.enqueue = lambda given: (origins.append(ORIGIN.get()), given.id)[1]
    placing = Placing(house.home)
    placing.tell(FireFact(60_000, ONE, 1, 60_000, FIRE, Status.CLAIMED, Why.TIMER, 7, 3, 60_000))

    outcome = placing.place(job(args=(1,)), 1, 1.5)

    assert outcome.value == FIRE
    assert (origins[0].via, origins[0].schedule, origins[0].slot) == (3, ONE, 60_000)


@pytest.mark.parametrize(
    ("allow", "code"),
    [("observe", "policy.level"), ("control", "policy.args_not_registered"), ("run", ""),
     ("control,shop.*=run", ""), ("run,shop.charge=observe", "policy.level")],
)  # fmt: skip
def test_the_local_policy_is_asked_at_each_fire(tmp_path, allow, code):
    house = House(tmp_path, allow=allow)

    outcome = Placing(house.home).place(job(), 1, 1.5)

    assert outcome.code == code
    assert len(house.engine.sent) == (not code)


def test_what_the_app_declared_itself_needs_no_more_than_control(tmp_path):
    house = House(tmp_path, allow="control")
    house.home.registered.learn("code", [("shop.charge", [7], {})])
    placing = Placing(house.home)

    assert placing.place(job(args=(7,)), 1, 1.5).ok
    assert placing.place(job(args=(8,)), 1, 1.5).code == "policy.args_not_registered"


def test_a_task_the_app_does_not_have_is_not_sent(house):
    assert Placing(house.home).place(job("shop.none"), 1, 1.5).code == "policy.unknown_task"


def test_a_broker_that_is_down_is_said_and_nothing_was_sent(house):
    house.engine.is_down = True

    assert Placing(house.home).place(job(), 1, 1.5).code == "engine.unavailable"


def test_a_line_of_the_ledger_goes_out_as_the_wire_wants_it(house):
    Placing(house.home).tell(
        FireFact(61_000, ONE, 2, 60_000, FIRE, Status.SENT, Why.CATCHUP, 7, 3, 60_500, 500)
    )

    line = read_item(msgpack.unpackb(house.written[0]))
    assert isinstance(line, Fire)
    assert (line.engine, line.app, line.generation, line.slot) == (*TOY, 2, 60_000)
    assert (line.status, line.trigger, line.epoch, line.revision) == (3, 3, 7, 3)
    assert (line.at, line.due, line.lag_ms) == (61_000_000, 60_500_000, 500)


def test_an_engine_that_cannot_look_says_nothing_about_a_fire(house):
    assert Placing(house.home).fetch(FIRE) is Found.UNKNOWN


def test_only_schedules_that_need_to_know_of_their_runs_are_tracked():
    delayed = [{"kind": "interval", "every": 30, "mode": "fixed_delay"}]
    rows = {
        **schedule(1), **schedule(2, overlap="skip"), **schedule(3, pause_after_failures=2),
        **schedule(4, require_last_success=True), **schedule(5, specs=delayed),
    }  # fmt: skip

    found = tracked(sealed(1, rows).schedules)

    assert found == {"shop.charge": frozenset(list(rows)[1:])}


def fact(kind, task_id=FIRE, task="shop.charge", source=TOY):
    item = [1, int(kind), 3, 1_700_000_000_000_000, *source, task_id, 0, 1, task]
    return msgpack.packb(item)


@pytest.fixture
def runs(store):
    found = Runs(TOY, house_clock)
    found.tracked = {"shop.charge": frozenset([ONE])}
    store.run_started(ONE, FIRE, started=False)
    return found


def house_clock():
    return house_clock.now


house_clock.now = 0.0


def test_a_run_that_is_seen_starting_and_ending_is_told(runs, store):
    assert runs.note(fact(EventKind.STARTED))
    runs.work(store)
    assert [run.started for run in store.running(ONE)] == [True]

    runs.note(fact(EventKind.FAILED))
    runs.work(store)

    assert store.running(ONE) == []
    assert store.run_ended(ONE, FIRE, failed=True) == 1


def test_a_run_whose_first_word_is_its_end_is_told_too(runs, store):
    runs.note(fact(EventKind.SUCCEEDED))
    runs.work(store)

    assert store.running(ONE) == []


def test_a_run_that_waits_for_its_retry_still_counts(runs, store):
    runs.note(fact(EventKind.STARTED))
    runs.note(fact(EventKind.RETRYING))
    runs.work(store)

    assert [run.fire_id for run in store.running(ONE)] == [FIRE]


def test_a_run_that_goes_on_is_told_again_every_half_minute(runs, store):
    house_clock.now = 0.0
    runs.note(fact(EventKind.STARTED))
    runs.work(store)
    seen = store.running(ONE)[0].seen_ms
    house_clock.now = 29.0
    assert runs.due_s == pytest.approx(1.0)

    house_clock.now = 31.0
    until(lambda: runs.work(store) or store.running(ONE)[0].seen_ms > seen or again())
    house_clock.now = 0.0


def again():
    house_clock.now += 31.0


@pytest.mark.parametrize(
    "other",
    [fact(EventKind.STARTED, "0f8fad5b-d9cb-469f-a165-70867728950e"),
     fact(EventKind.STARTED, task="shop.report"), fact(EventKind.STARTED, source=("toy", "other")),
     b"\x90", msgpack.packb([6, 0, 30, "Z4J-E304", [0, 1, FIRE]])],
    ids=["an ordinary id", "another task", "another app", "nothing", "a note"],
)  # fmt: skip
def test_what_is_no_run_of_ours_is_passed_over(runs, other):
    assert not runs.note(other)


def test_a_store_that_is_away_hears_of_it_later(runs, store):
    from z4j_core.errors import StoreUnavailable

    class Away:
        def __getattr__(self, name):
            raise StoreUnavailable("gone")

    runs.note(fact(EventKind.SUCCEEDED))
    with pytest.raises(StoreUnavailable):
        runs.work(Away())
    runs.work(store)

    assert store.running(ONE) == []


@pytest.fixture
def serve():
    hosts = []

    def start(house, *, leads=True):
        host = GroupHost(house.home, leads=leads)
        hosts.append(host)
        host.start()
        return host

    yield start
    for host in hosts:
        host.stop(1.0)


def test_what_the_brain_sent_is_put_where_others_find_it(house, store, serve):
    house.shelf.offer(sealed(1, schedule(1)))
    serve(house)
    until(lambda: store.snapshot() is not None)

    house.shelf.offer(sealed(2, {**schedule(1), **schedule(2)}))

    until(lambda: store.snapshot().rev == "000001.000000000002")
    assert len(unbucketed(store.snapshot()).schedules) == 2


def test_a_fresh_container_without_a_brain_finds_the_schedules_in_the_store(house, store, serve):
    store.put_snapshot(bucketed(sealed(4, schedule(1))))

    serve(house)

    until(lambda: house.shelf.stand == (1, 4))


def test_s10_a_snapshot_in_the_store_that_was_edited_is_not_believed(house, store, serve):
    forged = sealed(4, schedule(1))._replace(schedules=sealed(4, schedule(2)).schedules)
    store.put_snapshot(bucketed(forged))

    serve(house)

    until(lambda: [code for code, _ in house.notes][:1] == ["Z4J-E304"])
    assert house.shelf.held is None


def test_s10_the_last_good_one_stays_when_a_forged_newer_one_is_found(house, store, serve):
    house.shelf.offer(sealed(3, schedule(1)))
    host = serve(house)
    until(lambda: store.snapshot() is not None)
    store.put_snapshot(bucketed(sealed(9, schedule(2), keys=())))

    host._seen("000001.000000000009")

    until(lambda: [code for code, _ in house.notes][:1] == ["Z4J-E304"])
    assert house.shelf.stand == (1, 3)


def test_a_development_brain_without_a_redis_leaves_leases_to_a_file_of_this_host(tmp_path):
    place = House(tmp_path).home.place
    beside = replace(place.settings, dsn_from="/srv/shop/.z4j/dev.json")

    assert choose(place._replace(settings=beside)).kind == "file"
    assert choose(place._replace(settings=beside, directory="")).kind == "brain"
