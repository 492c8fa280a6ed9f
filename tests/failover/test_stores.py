"""Lease stores that come back without what they knew, or after a crash. The rule: nothing twice.

What does not run although it was due, the history tells of.
"""

from __future__ import annotations

import signal
import threading

import pytest
from chaos_pg import cluster
from failover_books import history, incomplete
from failover_group import Group, now_ms
from failover_place import Place
from z4j_testing.signals import eventually

never = threading.Event()
pytestmark = [pytest.mark.timeout(300)]


@pytest.fixture
def place(tmp_path):
    with Place(tmp_path) as made:
        yield made


def nothing_twice_nothing_lost_unsaid(group, until):
    """See to it; how many slots were due, and those that did not run."""
    found = group.books(until)
    assert found.doubled == []
    for plan in group.plans:
        slots = [slot for slot in found.lost if slot in set(plan.slots(until).values())]
        eventually(
            lambda p=plan, s=slots: set(s) <= spoken_of(group, p, until),
            f"a line about {slots}", 60,
        )  # fmt: skip
    return found


def spoken_of(group, plan, until):
    """Slots that a line of the history is about, of its own or among others that were missed."""
    slots = sorted(plan.slots(until).values())
    told = set()
    for slot, line in history(group.place.brain, plan, until).items():
        told |= set([each for each in slots if each >= slot][: max(1, line.count)])
    return told


@pytest.mark.soak
@pytest.mark.parametrize("away_s", [1, 8])
def test_a_redis_that_lost_its_data_makes_no_slot_run_twice(place, away_s, record_property):
    with Group(place, "shop", "apart", 5) as group:
        group.start()
        for _ in range(3):
            word, _ = group.settled()
            group.leases.kill()
            never.wait(away_s)
            group.leases.start()
            group.follower(word)
            never.wait(3)
        found = nothing_twice_nothing_lost_unsaid(group, now_ms())

    record_property(
        "figures",
        f"Redis restarted empty 3 times, away for {away_s} s: {found.due} slots due, "
        f"{len(found.lost)} did not run and were told of, 0 doubled",
    )


@pytest.mark.soak
def test_a_leader_that_dies_with_the_data_of_its_redis_makes_no_slot_run_twice(
    place, record_property
):
    with Group(place, "shop", "apart", 5) as group:
        group.start()
        word, leader = group.settled()
        never.wait(10)
        leader.send(signal.SIGKILL)
        group.leases.kill()
        group.leases.start()
        group.follower(word)
        leader.again()
        never.wait(5)
        found = nothing_twice_nothing_lost_unsaid(group, now_ms())

    record_property(
        "figures",
        f"leader and Redis gone at once: {found.due} slots due, {len(found.lost)} did not run and "
        "were told of, 0 doubled",
    )


@pytest.mark.soak
def test_a_broker_that_lost_its_data_with_the_leases_makes_no_slot_run_twice(
    place, record_property
):
    with Group(place, "shop", "redis", 5) as group:
        group.start()
        for _ in range(3):
            word, _ = group.settled()
            group.broker.kill()
            never.wait(1)
            group.broker.start()
            group.follower(word)
            never.wait(3)
        found = nothing_twice_nothing_lost_unsaid(group, now_ms())

    record_property(
        "figures",
        f"broker and leases restarted empty 3 times: {found.due} slots due, {len(found.lost)} went "
        "with the broker and were told of, 0 doubled",
    )


@pytest.mark.soak
def test_a_postgresql_that_crashes_loses_no_slot_and_doubles_none(place, record_property):
    with cluster() as server, Group(place, "shop", server.url, 5) as group:
        group.start()
        for away_s in (1, 8, 1):
            group.settled()
            server.stop()
            never.wait(away_s)
            server.start()
            back = now_ms()
            eventually(lambda b=back: group.ran_since(b), "fires after it is back", 60)
            never.wait(3)
        until = now_ms()
        found = group.books(until)
        told = [incomplete(place.brain, plan, until) for plan in group.plans]

    assert (found.lost, found.doubled, told) == ([], [], [[], []])
    record_property(
        "figures", f"PostgreSQL crashed 3 times: {found.due} slots due, 0 lost, 0 doubled"
    )
