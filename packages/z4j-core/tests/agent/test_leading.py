"""Schedules fire from real agents, each a process of its own; the broker is a real Redis."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime

import pytest
from homes import schedule
from leaders import Broker, Fleet, quit_
from z4j_core.clock import SystemClock
from z4j_core.scheduler.leases.redis import RedisStore
from z4j_core.wire.items import Fire
from z4j_testing.proxy import Fault, Proxy
from z4j_testing.signals import eventually

pytestmark = pytest.mark.timeout(120)
GROUP = ("toy", "toyapp")
SHORT = {"store": {"ttl_ms": 6_000}}
SECONDS = [{"kind": "interval", "every": "PT1S", "anchor": "epoch"}]
FAR = [{"kind": "once", "at": "2100-01-01T00:00:00Z"}]


@pytest.fixture
def broker(tmp_path):
    running = Broker(tmp_path)
    yield running
    running.close()


@pytest.fixture
def fleet(broker, tmp_path):
    running = Fleet(broker, tmp_path)
    yield running
    running.close()


def now_ms():
    return int(time.time() * 1000)


def at(ms):
    when = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return [{"kind": "interval", "every": "PT1H", "anchor": when.replace("+00:00", "Z")}]


def until(found, what, timeout_s=30.0):
    return eventually(found, what, timeout_s)


def may_lead(brain, count=1):
    brain.wait_for(
        lambda: sum(g.candidate for link in brain.links for g in link.groups) == count, 30
    )


def fires(brain):
    return [item for item in brain.store.items if isinstance(item, Fire)]


def asked(process, line):
    """What a process prints for a line of Python."""
    process.stdin.write(line + "\n")
    process.stdin.flush()
    said = process.stdout.readline().strip()
    assert process.stdout.readline() == "done\n"
    return said


def test_an_edit_is_fired_and_written_down(brain, fleet, broker):
    fleet.start(brain.dsn)
    may_lead(brain)

    brain.publish(*GROUP, schedule(1, created_ms=now_ms()), **SHORT)

    until(lambda: len(broker.sent()) >= 2, "two fires")
    brain.wait_for(lambda: sum(fire.status == 3 for fire in fires(brain)) >= 2, 30)
    told = {fire.fire_id.hex() for fire in fires(brain) if fire.status == 3}
    assert {row[0].replace("-", "") for row in broker.sent()[:2]} <= told
    sent = [row[0] for row in broker.sent()]
    assert len(set(sent)) == len(sent)


def test_an_edit_is_visible_within_a_fifth_of_a_second(brain, fleet, broker):
    fleet.start(brain.dsn)
    may_lead(brain)
    brain.publish(*GROUP, schedule(1, specs=FAR), **SHORT)
    until(fleet.leader, "a leader")
    lags = []

    for number in range(2, 8):
        due = now_ms() + 20
        began = time.time()
        brain.publish(*GROUP, schedule(number, specs=at(due), created_ms=due - 1_000), **SHORT)
        until(lambda: len(broker.sent()) == len(lags) + 1, "the fire")
        lags.append(broker.sent()[-1][4] - began)

    assert sorted(lags)[len(lags) // 2] <= 0.2, lags


def test_when_the_leader_is_killed_another_one_fires(brain, fleet, broker):
    fleet.start(brain.dsn, "one")
    fleet.start(brain.dsn, "two")
    may_lead(brain, 2)
    brain.publish(*GROUP, schedule(1, created_ms=now_ms()), **SHORT)
    until(broker.sent, "a fire")
    one = next(p for p in fleet.running if p.pid == broker.sent()[0][5])
    until(lambda: not broker.client.hlen("z4j:{demo/toy/toyapp}:open"), "it to be settled")

    one.send_signal(signal.SIGKILL)
    killed = time.time()

    until(lambda: [row for row in broker.sent() if row[5] != one.pid], "the other's fire")
    first = next(row for row in broker.sent() if row[5] != one.pid)
    assert first[4] - killed <= 15.0
    sent = [row[0] for row in broker.sent()]
    assert len(set(sent)) == len(sent)


def test_a_leader_that_ends_hands_over_within_a_second(brain, fleet, broker):
    fleet.start(brain.dsn, "one")
    fleet.start(brain.dsn, "two")
    may_lead(brain, 2)
    brain.publish(*GROUP, schedule(1, specs=FAR))
    _owner, epoch = until(fleet.leader, "a leader")
    brain.publish(*GROUP, schedule(1, created_ms=now_ms()))
    until(broker.sent, "a fire")
    leading = next(p for p in fleet.running if p.pid == broker.sent()[0][5])

    ended = time.time()
    took = quit_(leading)

    until(lambda: [row for row in broker.sent() if row[5] != leading.pid], "the other's fire")
    assert fleet.leader()[1] > epoch
    first = next(row for row in broker.sent() if row[5] != leading.pid)
    assert first[4] - ended <= 2.0 + 1.0, "the next slot after the hand-over"
    assert took <= 3.0


def test_when_its_last_worker_stops_a_process_hands_over_at_once_and_leads_again_with_the_next(
    brain, fleet, broker
):
    process = fleet.start(brain.dsn)
    may_lead(brain)
    brain.publish(*GROUP, schedule(1, specs=FAR))
    until(fleet.leader, "a leader")

    asked(process, "engine.emit.worker_down('w1', flush_s=0); print('down')")

    assert fleet.leader() is None
    asked(process, "engine.emit.worker_up(Worker('w2')); print('up')")
    until(fleet.leader, "it to lead again")


def slots_missing(broker, since_s, until_s):
    """Seconds between two times in which nothing was sent."""
    sent = {int(row[4]) for row in broker.sent()}
    return [second for second in range(int(since_s), int(until_s)) if second not in sent]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("minutes", [1, pytest.param(10, marks=pytest.mark.soak)])
def test_without_a_brain_every_slot_fires_on_time_and_is_told_when_it_is_back(
    brain, fleet, broker, minutes
):
    fleet.start(brain.dsn)
    may_lead(brain)
    brain.publish(*GROUP, schedule(1, created_ms=now_ms()), **SHORT)
    until(lambda: len(broker.sent()) >= 2, "fires")
    brain.stop()
    away = time.time()

    until(lambda: time.time() >= away + 60 * minutes, "the time to pass", 60 * minutes + 30)

    back = time.time()
    assert slots_missing(broker, away + 1, back - 1) == []
    brain.start()
    count = len(broker.sent())
    brain.wait_for(lambda: sum(fire.status == 3 for fire in fires(brain)) >= count, 60)
    slots = [fire.slot for fire in fires(brain) if fire.status == 3]
    assert sorted(set(slots)) == list(range(min(slots), max(slots) + 1, 1000))
    assert len(slots) == len(set(slots))


def test_a_fresh_container_without_a_brain_leads_by_what_the_store_has(brain, fleet, broker):
    first = fleet.start(brain.dsn, "one")
    may_lead(brain)
    brain.publish(*GROUP, schedule(1, created_ms=now_ms()), **SHORT)
    until(lambda: broker.client.hget("z4j:{demo/toy/toyapp}:snap", "rev"), "the snapshot")
    brain.stop()
    first.send_signal(signal.SIGKILL)
    first.wait()

    fresh = fleet.start(brain.dsn, "another-volume")

    until(lambda: [row for row in broker.sent() if row[5] == fresh.pid], "a fire", 60)


def test_s10_a_snapshot_in_the_store_that_was_edited_fires_nothing(brain, fleet, broker):
    first = fleet.start(brain.dsn, "one")
    may_lead(brain)
    brain.publish(*GROUP, schedule(1, specs=FAR), **SHORT)
    key = "z4j:{demo/toy/toyapp}:snap"
    until(lambda: broker.client.hget(key, "rev"), "the snapshot")
    brain.stop()
    first.send_signal(signal.SIGKILL)
    first.wait()
    for bucket, rows in broker.client.hgetall(key).items():
        if bucket.isdigit():
            broker.client.hset(key, bucket, rows.replace(b"shop.charge", b"shop.report"))

    fresh = fleet.start(brain.dsn, "another-volume")
    forged = "print(any('Z4J-E304' in text for text in said))"
    until(lambda: asked(fresh, forged) == "True", "the alarm", 60)
    brain.start()

    brain.wait_for(lambda: any(getattr(i, "code", "") == "Z4J-E304" for i in brain.store.items), 60)
    assert [row for row in broker.sent() if row[5] == fresh.pid] == []


def test_s12_the_same_name_on_two_engines_is_two_schedules_of_two_groups(brain, fleet, broker):
    fleet.start(brain.dsn, engines=(("toy", "toyapp"), ("other", "toyapp")))
    may_lead(brain, 2)

    brain.publish("toy", "toyapp", schedule(1, name="nightly", created_ms=now_ms()))
    brain.publish("other", "toyapp", schedule(2, name="nightly", created_ms=now_ms()))

    until(lambda: broker.sent("toy") and broker.sent("other"), "fires of both")
    leaders = {fleet.leader("demo/toy/toyapp")[0], fleet.leader("demo/other/toyapp")[0]}
    assert len(leaders) == 2
    ids = {row[0]: row[1] for row in broker.sent()}
    assert len(ids) == len(broker.sent())


def test_through_the_brain_as_store_fires_stop_with_it_and_go_on_with_it(brain, fleet, broker):
    brain.schedules.store_of = brain_store_at(broker)
    fleet.start(brain.dsn, lease_store="brain")
    may_lead(brain)
    brain.publish(*GROUP, schedule(1, created_ms=now_ms()), **SHORT)
    until(lambda: len(broker.sent()) >= 2, "fires")

    brain.stop()
    gone = time.time()
    until(lambda: time.time() > gone + 8, "the lease to run out")
    assert [row for row in broker.sent() if row[4] > gone + 6] == []

    brain.start()
    until(lambda: broker.sent()[-1][4] > gone + 8, "fires again", 60)


def brain_store_at(broker):
    return lambda group: RedisStore(broker.client, "brain/" + group, SystemClock().boottime)


LOADED = "print(sorted(m for m in sys.modules if 'scheduler.leader' in m or m.endswith('.host')))"
OURS = {"z4j-leader", "z4j-lease", "z4j-schedules"}
THREADS = "import threading; print(sorted(t.name for t in threading.enumerate()))"


def test_without_schedules_nothing_is_loaded_started_or_connected(brain, fleet, broker):
    process = fleet.start(brain.dsn)
    may_lead(brain)

    assert asked(process, LOADED) == "[]"
    assert not {"z4j-leader", "z4j-lease", "z4j-schedules"} & set(
        asked(process, THREADS).split("'")
    )
    assert len(broker.client.client_list()) == 1, "that of the test itself"


def test_the_last_schedule_that_goes_takes_the_threads_along(brain, fleet, broker):
    process = fleet.start(brain.dsn)
    may_lead(brain)
    brain.publish(*GROUP, schedule(1, specs=FAR), **SHORT)
    until(fleet.leader, "a leader")

    brain.publish(*GROUP, {})

    until(lambda: not fleet.leader(), "the lease to be given back")
    until(
        lambda: not OURS & set(asked(process, THREADS).split("'")),
        "the threads to end",
    )


def test_a_child_of_a_leader_fires_nothing_and_its_parent_goes_on(brain, fleet, broker):
    process = fleet.start(brain.dsn)
    may_lead(brain)
    brain.publish(*GROUP, schedule(1, created_ms=now_ms()), **SHORT)
    until(broker.sent, "a fire")

    child = int(asked(process, "p = os.fork(); p or (time.sleep(8), os._exit(0)); print(p)"))

    count = len(broker.sent())
    until(lambda: len(broker.sent()) >= count + 4, "more fires")
    assert {row[5] for row in broker.sent()} == {process.pid}
    assert child != process.pid


def test_a_store_that_is_away_holds_up_nothing_and_fires_go_on_when_it_is_back(
    brain, fleet, broker
):
    leases = Broker(fleet.home / "leases")
    process = fleet.start(brain.dsn, lease_store=leases.url)
    may_lead(brain)
    brain.publish(*GROUP, schedule(1, created_ms=now_ms()), **SHORT)
    until(lambda: len(broker.sent()) >= 2, "fires")

    leases.stop()
    began = time.monotonic()
    asked(process, "print(engines[0].emit(TaskEvent(EventKind.SUCCEEDED, 't', 1, 'shop.charge')))")
    assert time.monotonic() - began < 1.0
    brain.wait_for(lambda: brain.store.kinds("t"), 30)
    leases.start()
    count = len(broker.sent())

    until(lambda: len(broker.sent()) >= count + 2, "fires again", 60)
    leases.close()


def test_a_leader_the_brain_does_not_reach_gets_an_edit_from_the_store(brain, fleet, broker):
    with Proxy(("127.0.0.1", brain.port)) as proxy:
        cut_off = fleet.start(brain.dsn.replace(str(brain.port), str(proxy.port)), "one")
        may_lead(brain)
        brain.publish(*GROUP, schedule(1, specs=FAR), **SHORT)
        until(fleet.leader, "a leader")
        fleet.start(brain.dsn, "two")
        may_lead(brain, 2)
        proxy.set(Fault.CUT)
        may_lead(brain, 1)

        edited = time.time()
        due = now_ms() + 20
        brain.publish(*GROUP, schedule(2, specs=at(due), created_ms=due - 1_000), **SHORT)

        until(broker.sent, "the fire")
        assert broker.sent()[0][5] == cut_off.pid
        assert broker.sent()[0][4] - edited <= 5.0
