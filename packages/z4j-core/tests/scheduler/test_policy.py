"""What becomes of slots: truth tables, and one fate for each slot whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.build import Context, build
from z4j_core.scheduler.policy import COUNTED, Cursor, Run, Schedule, plan, settled
from z4j_core.scheduler.rules import OVERLAPS, Rules, read_rules
from z4j_core.scheduler.slots import utc_slot
from z4j_core.scheduler.spec import read_trigger

from .conftest import few, many, ms

START = ms(2026, 1, 1)
HOUR = 3_600_000


def schedule(rules=None, *, every=3600, trigger=None, **more):
    doc = trigger or {"specs": [{"kind": "interval", "every": every, "anchor": "epoch"}]}
    built = build(read_trigger(doc), Context("s1"))
    return Schedule("s1", built, rules or Rules(), START, **more)


def told(decisions):
    """Actions with the hours of their slots."""
    return [
        (d.action, None if d.slot is None else (d.slot.at_ms - START) / HOUR, d.reason)
        for d in decisions
    ]


def at(hours):
    return START + round(hours * HOUR)


NOW = at(5.5)
CATCH_UPS = [
    (Rules(catchup="skip"), [("missed", 1, "late")], 5),
    (Rules(), [("missed", 1, "late"), ("fire", 5, "catchup")], 4),
    (Rules(catchup_pick="earliest"), [("missed", 2, "late"), ("fire", 1, "catchup")], 4),
    (Rules(catchup_pick="earliest", catchup_window_s=7200 + 1800), [("missed", 1, "late"), ("fire", 3, "catchup")], 4),
    (Rules(catchup_window_s=600), [("missed", 1, "late")], 5),
    (Rules(catchup="fire_all"), [("fire", n, "catchup") for n in range(1, 6)], 0),
    (Rules(catchup="fire_all", catchup_max=2), [("missed", 1, "late"), ("fire", 4, "catchup"), ("fire", 5, "catchup")], 3),
    (Rules(catchup="fire_all", catchup_window_s=7200), [("missed", 1, "late"), ("fire", 4, "catchup"), ("fire", 5, "catchup")], 3),
    (Rules(grace_s=3600), [("missed", 1, "late"), ("fire", 5, "due")], 4),
    (Rules(grace_s=2 * 3600), [("missed", 1, "late"), ("fire", 4, "due"), ("fire", 5, "due")], 3),
    (Rules(catchup="fire_all", grace_s=3600), [("fire", n, "catchup") for n in range(1, 5)] + [("fire", 5, "due")], 0),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "expected", "missed"), CATCH_UPS)
def test_slots_that_were_missed_are_caught_up_as_the_rules_say(rules, expected, missed):
    decisions = plan(Cursor(), NOW, schedule(rules))

    assert told(decisions) == expected
    assert sum(d.slots for d in decisions) == missed


def test_a_slot_on_time_fires_alone_and_nothing_was_missed():
    cursor = Cursor(at(4))

    assert told(plan(cursor, at(5) + 59_000, schedule())) == [("fire", 5, "due")]
    assert plan(Cursor(at(5)), at(5) + 59_000, schedule()) == []


def test_a_slot_later_than_the_grace_is_missed():
    assert told(plan(Cursor(at(4)), at(5) + 60_000, schedule())) == [("fire", 5, "due")]
    assert told(plan(Cursor(at(4)), at(5) + 60_001, schedule())) == [("fire", 5, "catchup")]


def test_nothing_before_the_generation_the_resumption_or_the_cursor_is_looked_at():
    late = schedule(Rules(catchup="fire_all"), not_before_ms=at(3))

    assert [hour for _, hour, _ in told(plan(Cursor(), NOW, late))] == [4, 5]
    assert [hour for _, hour, _ in told(plan(Cursor(at(4)), NOW, late))] == [5]


def test_a_lost_cursor_is_what_others_remember():
    rules = Rules(catchup="fire_all")
    lost = Cursor(None, missing=True, seen_ms=(at(2), at(4)))

    assert [hour for _, hour, _ in told(plan(lost, NOW, schedule(rules)))] == [5]
    never = Cursor(None, missing=False, seen_ms=(at(4),))
    assert len(plan(never, NOW, schedule(rules))) == 5


def test_a_billion_missed_slots_are_counted_to_a_bound():
    busy = schedule(Rules(grace_s=0, catchup="fire_all", catchup_max=3), every=0.1)

    missed, *fires = plan(Cursor(), START + 10**11, busy)

    assert (missed.slots, missed.more) == (COUNTED, True)
    assert len(fires) == 4
    assert missed.last_ms == fires[0].slot.at_ms - 100


OVERLAPPING = [
    ("allow", 1, "fire fire"),
    ("skip", 0, "fire skip"),
    ("skip", 1, "skip skip"),
    ("buffer_one", 0, "fire buffer"),
    ("buffer_one", 1, "skip buffer"),
    ("buffer_all", 1, "buffer buffer"),
    ("cancel_other", 0, "skip fire"),
    ("cancel_other", 1, "skip cancel fire"),
    ("terminate_other", 1, "skip terminate fire"),
]


@pytest.mark.parametrize(("overlap", "runs", "expected"), OVERLAPPING)
def test_runs_that_go_on_are_met_as_the_overlap_says(overlap, runs, expected):
    rules = Rules(overlap=overlap, grace_s=2 * 3600)
    running = [Run(f"r{n}", at(3)) for n in range(runs)]

    decisions = plan(Cursor(at(3)), NOW, schedule(rules), running)

    assert " ".join(d.action for d in decisions) == expected


def test_every_overlap_is_in_the_table():
    assert {overlap for overlap, *_ in OVERLAPPING} == set(OVERLAPS)


def test_what_waits_fires_before_what_is_new():
    rules = Rules(overlap="buffer_all")
    cursor = Cursor(at(4), buffered=(utc_slot(at(4)),))

    assert told(plan(cursor, at(5), schedule(rules))) == [
        ("fire", 4, "buffered"),
        ("buffer", 5, "overlap"),
    ]


def test_a_run_that_never_started_stops_counting():
    rules = Rules(overlap="skip", overlap_timeout_s=60)
    lost = [Run("r", at(5) - 60_000, started=False)]

    assert told(plan(Cursor(at(4)), at(5), schedule(rules), lost)) == [("fire", 5, "due")]


def test_failures_in_a_row_pause_the_schedule():
    rules = Rules(pause_after_failures=3)

    assert told(plan(Cursor(failures=3), NOW, schedule(rules)))[0][0] == "pause"
    assert told(plan(Cursor(failures=2), NOW, schedule(rules)))[0][0] != "pause"


@pytest.mark.parametrize("last", ["failed", "open", "success", ""])
def test_the_last_success_may_be_required(last):
    rules = Rules(require_last_success=True, grace_s=7200)

    said = told(plan(Cursor(at(3), last=last), NOW, schedule(rules)))

    bad = last in ("failed", "open")
    first = ("skip", 4, "dependency") if bad else ("fire", 4, "due")
    assert sorted(said) == sorted([first, ("skip", 5, "dependency")])


def test_what_is_too_late_expires():
    rules = Rules(catchup="fire_all", expires_after_s=7200)

    said = told(plan(Cursor(), NOW, schedule(rules)))

    assert said == [("expire", n, "late") for n in (1, 2, 3)] + [
        ("fire", n, "catchup") for n in (4, 5)
    ]


def test_max_fires_counts_claims_and_no_misses():
    rules = Rules(catchup="fire_all")

    said = told(plan(Cursor(fires=1), NOW, schedule(rules, max_fires=3)))

    assert [row[0] for row in said] == ["fire", "fire", "skip", "skip", "skip"]
    assert told(plan(Cursor(fires=3), NOW, schedule(rules, max_fires=3))) == [
        ("spent", None, "max_fires")
    ]


def test_a_pause_ends_by_itself_and_what_it_covered_was_not_missed():
    paused = schedule(paused=True, paused_until_ms=at(4))

    assert plan(Cursor(), at(3), paused) == []
    assert told(plan(Cursor(), at(5), paused)) == [("resume", None, "until"), ("fire", 5, "due")]
    assert plan(Cursor(), NOW, schedule(paused=True)) == []
    assert plan(Cursor(), NOW, schedule(enabled=False)) == []


RULES = st.builds(
    Rules,
    grace_s=st.sampled_from([0, 60, 3600, 10_000]),
    catchup=st.sampled_from(["skip", "fire_one", "fire_all"]),
    catchup_window_s=st.sampled_from([10, 3600, 20_000, 86_400]),
    catchup_max=st.integers(1, 5),
    catchup_pick=st.sampled_from(["latest", "earliest"]),
    overlap=st.sampled_from(OVERLAPS),
    max_running=st.integers(1, 2),
    require_last_success=st.booleans(),
    expires_after_s=st.sampled_from([None, 60, 7200]),
)
TRIGGERS = st.fixed_dictionaries(
    {
        "specs": st.lists(
            st.builds(
                lambda every, phase: {
                    "kind": "interval", "every": every, "anchor": "epoch", "phase_s": phase,
                },
                st.sampled_from([600, 3600, 5000]),
                st.integers(0, 600),
            ),
            min_size=1,
            max_size=2,
        ),
        "jitter_s": st.sampled_from([0, 30, 4000]),
        "jitter_mode": st.sampled_from(["slot", "fixed"]),
        "blackouts": st.sampled_from(
            [
                [],
                [{"cron": "0 3 * * *", "duration_s": 7200, "action": "defer"}],
                [{"cron": "30 */6 * * *", "duration_s": 3600, "action": "skip"}],
            ]
        ),
    }
)  # fmt: skip


def one_fate(rules, trigger, waits, runs):
    """Plan at irregular times: every slot up to the end has exactly one fate, oldest first."""
    planned = schedule(rules, trigger=trigger)
    cursor, now, fates, lost = Cursor(), START, [], 0
    for wait in waits:
        now += wait * 1000
        running = [Run(f"r{n}", now - HOUR) for n in range(runs)]
        decisions = plan(cursor, now, planned, running)
        for decision in decisions:
            if decision.action == "missed":
                lost += decision.slots
                assert not decision.more
            elif decision.slot is not None and decision.slot not in cursor.buffered:
                fates.append(decision.slot.at_ms)
            assert decision.slot is None or decision.due_ms <= now
        buffered = tuple(d.slot for d in decisions if d.action == "buffer")
        cursor = Cursor(settled(cursor, decisions), buffered=buffered)
    assert len(fates) == len(set(fates))
    done = cursor.slot_ms or START
    slots = planned.trigger.between(START, done, 100_000)
    assert len(slots) == lost + len(fates)
    assert set(fates) <= {slot.at_ms for slot in slots}
    open_ones = planned.trigger.between(done, now, 10)
    assert all(planned.trigger.due_ms(slot, "s1") > now for slot in open_ones)


CASES = (
    RULES,
    TRIGGERS,
    st.lists(st.integers(1, 40_000), min_size=1, max_size=8),
    st.integers(0, 2),
)


@given(*CASES)
@few(60)
def test_every_slot_has_exactly_one_fate(rules, trigger, waits, runs):
    one_fate(rules, trigger, waits, runs)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(*CASES)
@many(20_000)
def test_every_slot_has_exactly_one_fate_in_many_worlds(rules, trigger, waits, runs):
    one_fate(rules, trigger, waits, runs)


def test_rules_are_read_and_written_back():
    assert read_rules({}) == Rules()
    assert read_rules(Rules(catchup="skip", expires_after_s=5).json()).expires_after_s == 5
    with pytest.raises(ScheduleInvalid) as refused:
        read_rules({"grace_s": -1})
    assert (refused.value.code, refused.value.pointer) == ("schedule.bounds", "/grace_s")
