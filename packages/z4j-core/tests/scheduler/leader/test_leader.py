"""A leader by itself, with a clock that tests move and a store in memory."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import UUID

import pytest
from z4j_core.errors import LeaseLost, StoreUnavailable
from z4j_core.invoke import Outcome
from z4j_core.scheduler.leader import Found, Status, Why
from z4j_core.scheduler.leader.book import Book

sys.path.insert(0, str(Path(__file__).parent))
from leading_site import Site

DAY_S = 86_400


@pytest.mark.parametrize(
    ("policy", "fires"),
    [
        ({"catchup": "skip"}, 0),
        ({"catchup": "fire_one"}, 1),
        ({"catchup": "fire_all", "catchup_window_s": 40 * DAY_S, "catchup_max": 25}, 25),
    ],
)
def test_s6_after_thirty_days_away_the_policy_decides_how_many_fire(policy, fires):
    site = Site(lambda s: s.row(every="PT1H", **policy))
    site.go(3_700)
    site.jobs.clear()
    site.clock.advance(30 * DAY_S + 1_000)

    site.go(60)

    assert len(site.jobs) == fires
    missed = site.statuses(Status.MISSED)
    assert sum(fact.count_ for fact in missed) + fires == 720
    assert {f.trigger for f in site.facts if f.status is Status.CLAIMED} <= {Why.TIMER, Why.CATCHUP}


@pytest.mark.timeout(600)
def test_s7_ten_thousand_due_in_one_second_all_fire_once():
    site = Site()
    site.put(*(site.row(n, every="PT1H") for n in range(1, 10_001)))

    site.go(3_605)

    assert len(site.jobs) == 10_000
    assert len({job.id for job in site.jobs}) == 10_000
    assert site.books.open == {}


@pytest.mark.parametrize("change", ["timing", "pause", "delete"])
def test_an_edit_at_the_instant_of_a_fire_is_the_old_or_the_new_never_both(change):
    site = Site(lambda s: s.row())
    site.go(15)

    def edit():
        site.on_place = lambda: None
        rows = {
            "timing": lambda: [site.row(generation=2, every="PT5S")],
            "pause": lambda: [site.row(paused=True)],
            "delete": list,
        }[change]()
        site.put(*rows)

    site.on_place = edit
    site.jobs.clear()
    site.go(25)

    slots = [fact.slot_ms for fact in site.statuses(Status.SENT)]
    assert len(slots) == len(set(slots))
    assert len(site.jobs) == {"timing": 5, "pause": 1, "delete": 1}[change]


def test_a_schedule_that_could_not_be_planned_is_planned_a_minute_later(monkeypatch):
    site = Site(lambda s: s.row(jitter_s=1))
    monkeypatch.setattr(site.leader.book, "glanced", lambda *_: {}["broken"])
    site.go(1)
    assert "Z4J-E307" in site.notes
    monkeypatch.undo()

    site.go(80)

    assert site.jobs


def test_nothing_fires_while_clocks_went_apart_until_two_readings_agree():
    site = Site(lambda s: s.row())
    site.go(2)
    site.books.now_ms = lambda: site.clock.wall_us() // 1000 + 9_000
    site.leader.tenure.renew()

    site.leader.step()
    assert site.notes == ["Z4J-E303"]
    assert site.jobs == []

    site.clock.advance(1)
    site.leader.tenure.renew()
    site.leader.step()
    assert len(site.jobs) == 1


def test_whoever_is_refused_for_another_broker_says_so_once_and_when_that_is_over():
    site = Site(lambda s: s.row())
    site.books.fp = "that of staging"

    site.go(60)
    meanwhile = list(site.notes)
    site.books.fp = "fp"
    site.go(60)

    assert meanwhile == ["Z4J-E301"]
    assert site.notes == ["Z4J-E301", "Z4J-E301 is over"]
    assert site.jobs


def test_nothing_fires_while_the_store_is_a_minute_ahead_of_this_machine():
    site = Site(lambda s: s.row())
    site.go(1)
    site.clock.jump(-120)

    site.go(12)

    assert site.jobs == []
    assert "Z4J-E303" in site.notes


def test_a_wrong_clock_of_this_machine_holds_nothing_up_where_the_brain_agrees_with_the_store():
    site = Site(lambda s: s.row())
    site.go(1)
    true_ms = site.now_ms()
    began = site.clock.boottime()
    site.brain_ms = site.books.now_ms = lambda: (
        true_ms + int((site.clock.boottime() - began) * 1000)
    )
    site.clock.jump(-3_600)

    site.go(30)

    assert len(site.jobs) == 3
    assert site.notes == []


def test_a_suspended_machine_knows_that_its_lease_is_over():
    site = Site(lambda s: s.row())
    site.go(1)
    site.clock.suspend(60)

    site.leader.step()

    assert not site.leader.is_leading
    assert site.jobs == []


def test_what_the_broker_does_not_take_is_tried_again_and_then_given_up():
    down = Outcome(code="engine.unavailable", detail="down")
    site = Site(lambda s: s.row(every="PT1H", dispatch={"max_tries": 3, "max_age_s": 60}))
    site.go(3_590)
    site.answers = [down, down]
    site.go(20)
    assert [fact.status for fact in site.facts] == [Status.CLAIMED, Status.SENT]

    site.answers = [down] * 3
    site.go(3_600)
    assert site.facts[-1].status is Status.FAILED
    assert site.books.open == {}


@pytest.mark.parametrize(
    ("delivery", "found", "status", "enq"),
    [
        ("effectively_once", Found.ALIVE, Status.SENT, 1),
        ("effectively_once", Found.UNKNOWN, Status.SENT, 2),
        ("at_most_once", Found.UNKNOWN, Status.FAILED, 1),
    ],
)
def test_an_enqueue_that_nobody_knows_the_end_of_is_looked_into(delivery, found, status, enq):
    site = Site(lambda s: s.row(delivery=delivery))
    site.found = found
    site.answers = [Outcome(code="engine.indeterminate")]

    site.go(12)

    last = site.facts[-1]
    assert (last.status, last.enq) == (status, enq)


def test_what_was_claimed_as_the_lease_ran_out_is_placed_when_it_is_renewed_after_all():
    site = Site(lambda s: s.row())
    site.go(9.9)
    site.clock.advance(0.2)
    claim = site.store.claim

    def slow(lease, fires):
        found = claim(lease, fires)
        site.clock.advance(site.leader.tenure.left_s)
        return found

    site.store.claim = slow
    site.leader.step()
    assert site.jobs == []

    site.leader.tenure.renew()
    site.leader.step()
    assert len(site.jobs) == 1


def test_a_lease_that_is_lost_and_got_again_places_what_was_in_doubt_once():
    site = Site(lambda s: s.row(overlap="skip"))
    site.go(9.9)
    run_started, asked = site.store.run_started, []

    def unwilling(*args, **options):
        asked.append(1)
        if len(asked) == 1:
            raise StoreUnavailable("the request was lost")
        return run_started(*args, **options)

    site.store.run_started = unwilling
    site.clock.advance(0.2)
    site.leader.step()
    site.books.owner, site.books.expires_ms = "", 0
    with pytest.raises(LeaseLost):
        site.leader.tenure.renew()

    site.go(5)

    assert len(site.jobs) == 1
    assert asked == [1, 1]


def test_a_leader_fires_nothing_before_it_knows_what_was_left_open():
    site = Site(lambda s: s.row())
    site.go(9.5)
    site.clock.advance(1)
    site.leader.stopping = True
    site.leader.step()
    (left,) = site.books.open
    opened, asked = site.store.open, []

    def unwilling():
        asked.append(1)
        if len(asked) == 1:
            raise StoreUnavailable("the answer was lost")
        return opened()

    site.store.open = unwilling
    site.leader = site.another()
    site.go(3)

    assert [job.id for job in site.jobs] == [left]
    assert len(asked) == 2


def test_a_release_fires_once_whoever_leads():
    site = Site(lambda s: s.row(specs=[{"kind": "on_start"}]), release="r1")
    site.go(20)
    site.leader.release()
    site.leader = site.another()
    site.go(20)

    assert len(site.jobs) == 1
    assert site.facts[0].trigger is Why.ON_START


def test_failures_in_a_row_pause_a_schedule_and_a_resume_counts_anew():
    site = Site(lambda s: s.row(pause_after_failures=2))
    for _ in range(2):
        site.go(10)
        site.store.run_ended(str(UUID(int=1)), site.jobs[-1].id, failed=True)
    fired = len(site.jobs)
    site.go(30)
    assert len(site.jobs) == fired
    assert [f.reason for f in site.statuses(Status.SKIPPED)] == ["paused: 2 failures in a row"]

    site.put(site.row(pause_after_failures=2, not_before_ms=site.now_ms()))
    site.go(12)
    assert len(site.jobs) == fired + 1


def test_a_fire_that_waits_for_a_run_is_placed_when_it_ends():
    site = Site(lambda s: s.row(overlap="buffer_one"))
    site.go(31)
    assert len(site.jobs) == 1
    site.store.run_ended(str(UUID(int=1)), site.jobs[0].id, failed=False)
    site.leader.ended.add(str(UUID(int=1)))

    site.go(0.5)

    assert len(site.jobs) == 2
    assert site.books.open == {}


def test_max_fires_counts_claims_of_this_generation():
    site = Site(lambda s: s.row(max_fires=2))
    site.go(60)
    assert len(site.jobs) == 2

    site.put(site.row(generation=2, max_fires=1))
    site.go(60)
    assert len(site.jobs) == 3


def test_what_an_edit_made_out_of_date_does_not_come_up():
    site = Site(lambda s: s.row())
    book = Book()
    book.take(site.held)
    name = str(UUID(int=1))
    book.push(name, 100)
    book.push(name, 200)

    assert list(book.pop_due(150, 10)) == []
    assert book.next_due_ms() == 200
    assert list(book.pop_due(200, 10)) == [name]


def test_a_flushed_store_does_not_make_this_host_fire_a_slot_again(tmp_path):
    site = Site(lambda s: s.row(), journal=str(tmp_path / "slots"))
    site.go(26)
    fired = {job.id for job in site.jobs}
    site.books.flush()
    site.leader = site.another()
    site.go(2)

    assert {job.id for job in site.jobs} == fired


def test_slots_that_another_store_saw_pass_do_not_fire_again():
    site = Site(lambda site: site.row())
    site.go(30)
    site.leader.release()
    fired = len(site.jobs)
    site.clock.advance(30)
    told = {key: (1, site.now_ms()) for key in site.rows}
    site.held = site.held._replace(last_slots=told)
    site.leader = site.another()
    site.go(1)

    assert fired >= 3
    assert len(site.jobs) == fired
    site.go(20)
    assert len(site.jobs) > fired
