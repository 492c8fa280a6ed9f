"""A lease store that lost its data: who led last goes on, others wait and ask the brain."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import UUID

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from leading_site import Site
from z4j_core.scheduler.leader.newcomer import COURTESY_S

KEY = UUID(int=1).bytes


@pytest.fixture
def site():
    """A schedule that was fired for a minute; the store has just lost its data."""
    made = Site(lambda s: s.row())
    made.go(65)
    made.books.flush()
    return made


def ids(site):
    return [job.id for job in site.jobs]


def test_who_led_last_leads_again_at_once_and_fires_no_slot_again(site):
    site.clock.advance(10)
    site.leader.tenure.end()

    site.leader.step()
    site.leader.step()

    assert site.leader.is_leading
    site.go(20)
    assert len(set(ids(site))) == len(ids(site)) == 9
    assert site.refreshed == 0


def test_another_waits_for_who_led_last_and_asks_the_brain_meanwhile(site):
    other = site.another("other")

    pause = other.step()

    assert (pause.in_store, site.refreshed) == (True, 1)
    assert 0 < pause.seconds <= COURTESY_S
    site.clock.advance(1)
    site.leader.tenure.end()
    site.leader.step()
    assert site.leader.is_leading
    site.clock.advance(COURTESY_S)
    other.step()
    assert not other.is_leading


def test_another_leads_after_the_wait_by_what_the_brain_knows(site):
    fired = ids(site)
    site.leader = site.another("other")
    site.leader.step()
    last = max(site.facts, key=lambda fact: fact.slot_ms).slot_ms
    site.held = site.held._replace(last_slots={KEY: (1, last)})

    site.go(COURTESY_S + 11)

    assert site.leader.is_leading
    assert ids(site)[: len(fired)] == fired
    assert len(set(ids(site))) == len(ids(site)) == len(fired) + 2


def test_a_store_that_is_new_like_its_schedules_is_led_at_once():
    site = Site(lambda s: s.row())

    site.leader.step()

    assert site.leader.is_leading
    assert site.refreshed == 0


def test_who_was_followed_by_another_since_waits_like_anybody():
    site = Site(lambda s: s.row())
    site.go(40)
    first = site.leader
    first.release()
    site.leader = site.another("other")
    site.go(20)
    first.step()
    site.books.flush()

    first.step()

    assert not first.is_leading
    assert site.refreshed == 1
