"""Triggers as a whole: documents, unions, calendars, blackouts, jitter, bounds, words."""

from __future__ import annotations

import json
import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.build import Context, build, check
from z4j_core.scheduler.spec import read_trigger, trigger_json
from z4j_core.scheduler.trigger import SharedTrigger
from z4j_core.scheduler.tzdata import tzdata_version
from z4j_core.scheduler.workdays import DaysOff
from z4j_core.scheduler.zone import zone

from .conftest import few, ms

WEEKEND = Context(
    calendars={"work": DaysOff(frozenset({date(2026, 12, 25)}), frozenset({0, 6}))},
    created_ms=ms(2026, 1, 1),
)


def trigger(*specs, context=WEEKEND, **more):
    return build(read_trigger({"specs": list(specs), **more}), context)


def cron(expr, **more):
    return {"kind": "cron", "expr": expr, **more}


def locals_(built, start, end):
    return [slot.local[5:16] for slot in built.between(start - 1, end - 1)]


DOCUMENTS = [
    {"specs": [cron("0 9 * * mon-fri", tz="America/New_York")]},
    {"specs": [cron("0 5 * * 1", dialect="celery"), cron("@every 5m")]},
    {"specs": [cron("0 0 * * *", dst={"gap": "shift", "fold": "last"})]},
    {"specs": [{"kind": "interval", "every": "PT1H30M", "anchor": "2026-01-01T00:00:00.250Z"}]},
    {"specs": [{"kind": "interval", "every": 0.1, "mode": "fixed_delay"}]},
    {"specs": [{"kind": "calendar", "every": {"weeks": 2}, "anchor": "2026-01-01T09:00:00"}]},
    {"specs": [{"kind": "once", "at": "2030-01-01T00:00:00Z"}]},
    {"specs": [{"kind": "once", "at": "2030-01-01T00:00:00", "tz": "Europe/Berlin", "fold": 1}]},
    {"specs": [{"kind": "solar", "event": "sunset", "lat": 1.5, "lon": -3, "offset_s": -60}]},
    {"specs": [{"kind": "rrule", "text": "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY"}]},
    {"specs": [{"kind": "on_start"}, {"kind": "custom", "shown": "f(x)"}]},
    {
        "specs": [cron("0 * * * *")],
        "exclude": [cron("0 3 * * *")],
        "calendars": [{"ref": "work", "on_hit": "next_business_day"}],
        "blackouts": [
            {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
            {"cron": "0 1 * * *", "duration_s": 60, "action": "defer", "tz": "Asia/Tokyo"},
        ],
        "start_at": {"local": "2026-01-01T00:00:00", "tz": "Europe/Berlin"},
        "end_at": "2027-01-01T00:00:00Z",
        "max_fires": 3,
        "jitter_s": 60,
        "jitter_mode": "fixed",
    },
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_is_read_and_written_back_in_one_form(document):
    spec = read_trigger(document)
    said = trigger_json(spec)

    assert read_trigger(json.loads(said)) == spec
    assert trigger_json(read_trigger(json.loads(said))) == said
    assert build(spec, WEEKEND).explain().endswith(".")


WRONG = [
    ({}, "schedule.bounds", "/specs"),
    ({"specs": []}, "schedule.bounds", "/specs"),
    ({"specs": [{}]}, "schedule.bounds", "/specs/0/kind"),
    ({"specs": [cron("0 0 * * *")] * 17}, "schedule.bounds", "/specs"),
    ({"specs": [cron("0 99 * * *")]}, "schedule.cron_syntax", "/specs/0/expr"),
    ({"specs": [cron("0 0 * * *", tz="PST")]}, "schedule.zone", "/specs/0/tz"),
    ({"specs": [cron("0 0 * * *", tz="../etc/passwd")]}, "schedule.zone", "/specs/0/tz"),
    ({"specs": [cron("0 0 * * *", tz="UTC+99:00")]}, "schedule.zone", "/specs/0/tz"),
    ({"specs": [cron("0 0 * * *", dst="never")]}, "schedule.bounds", "/specs/0/dst"),
    ({"specs": [cron("0 0 * * *", dialect="perl")]}, "schedule.dialect", "/specs/0/dialect"),
    ({"specs": [cron("0 0 * * *", colour=1)]}, "schedule.bounds", "/specs/0/colour"),
    ({"specs": [{"kind": "interval", "every": 0.05}]}, "schedule.bounds", "/specs/0/every"),
    ({"specs": [{"kind": "interval", "every": "soon"}]}, "schedule.bounds", "/specs/0/every"),
    ({"specs": [{"kind": "once", "at": "2026-01-01T00:00:00"}]}, "schedule.bounds", "/specs/0/at"),
    ({"specs": [cron("0 0 * * *")], "jitter_s": 90_000}, "schedule.bounds", "/jitter_s"),
    ({"specs": [cron("0 0 * * *")], "max_fires": True}, "schedule.bounds", "/max_fires"),
    ({"specs": [cron("0 0 * * *")], "exclude": [{"kind": "on_start"}]}, "schedule.bounds", "/exclude/0/kind"),
    ({"specs": [cron("0 0 * * *")], "calendars": [{"ref": "no"}]}, "schedule.calendar", "/calendars/0/ref"),
    ({"specs": [cron("0 0 * * *")], "blackouts": [{"cron": "x", "duration_s": 1}]}, "schedule.cron_syntax", "/blackouts/0/cron"),
    ({"specs": [cron("0 0 * * *")], "start_at": "2026-01-02T00:00:00Z", "end_at": "2026-01-01T00:00:00Z"}, "schedule.bounds", "/end_at"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "code", "pointer"), WRONG)
def test_what_is_wrong_is_named_by_code_pointer_and_hint(document, code, pointer):
    with pytest.raises(ScheduleInvalid) as refused:
        build(read_trigger(document), WEEKEND)

    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    assert refused.value.hint


def test_slots_of_several_specs_at_one_instant_are_one():
    built = trigger(cron("0 */2 * * *"), cron("0 */3 * * *"))

    assert locals_(built, ms(2026, 1, 1), ms(2026, 1, 1, 7)) == [
        "01-01T00:00", "01-01T02:00", "01-01T03:00", "01-01T04:00", "01-01T06:00",
    ]  # fmt: skip


def test_excluded_slots_are_looked_past_both_ways():
    built = trigger(cron("0 * * * *"), exclude=[cron("0 1-22 * * *")])

    assert built.next(ms(2026, 1, 1)).local == "2026-01-01T23:00:00"
    assert built.prev(ms(2026, 1, 1, 23)).local == "2026-01-01T00:00:00"


@pytest.mark.parametrize(
    ("on_hit", "expected"),
    [
        ("skip", ["12-24", "12-28", "12-29"]),
        ("next_business_day", ["12-24", "12-28", "12-29"]),
        ("previous_business_day", ["12-24", "12-28", "12-29"]),
    ],
)
def test_a_daily_slot_meets_the_days_off(on_hit, expected):
    built = trigger(cron("0 9 * * *"), calendars=[{"ref": "work", "on_hit": on_hit}])

    found = [local[:5] for local in locals_(built, ms(2026, 12, 24), ms(2026, 12, 30))]

    assert found == expected


@pytest.mark.parametrize(
    ("on_hit", "expected"),
    [
        ("skip", []),
        ("next_business_day", ["12-28T10:00"]),
        ("previous_business_day", ["12-24T10:00"]),
    ],
)
def test_a_slot_on_a_day_off_moves_at_the_same_local_time(on_hit, expected):
    built = trigger(
        cron("0 10 25 12 *", tz="Europe/Berlin"), calendars=[{"ref": "work", "on_hit": on_hit}]
    )

    slots = built.between(ms(2026, 12, 1), ms(2026, 12, 31))

    assert [slot.local[5:16] for slot in slots] == expected
    assert all(slot.note == "calendar" for slot in slots)


@given(
    st.sampled_from(["0 9 * * *", "30 */5 * * *", "15 8 * * 6", "0 0 1 * *", "*/40 6 * * 5-7"]),
    st.sampled_from(["skip", "next_business_day", "previous_business_day"]),
    st.integers(0, 700),
)
@few(15)
def test_moved_slots_are_found_in_order_and_both_ways(expr, on_hit, later):
    built = trigger(cron(expr), calendars=[{"ref": "work", "on_hit": on_hit}])
    plain = trigger(cron(expr))
    start = ms(2026, 1, 1) + later * 3_600_000 * 13
    end = start + 20 * 86_400_000
    slots = built.between(start, end)

    back, at = [], end + 1
    while (slot := built.prev(at)) is not None and slot.at_ms > start:
        back.append(slot)
        at = slot.at_ms
    assert [slot.at_ms for slot in slots] == [slot.at_ms for slot in back[::-1]]
    assert all(date.fromisoformat(s.local[:10]).isoweekday() < 6 for s in slots)
    stay = {
        s.at_ms
        for s in plain.between(start, end)
        if date.fromisoformat(s.local[:10]) not in WEEKEND.calendars["work"]
    }
    assert stay <= {slot.at_ms for slot in slots}


def test_a_week_off_is_looked_past_by_a_rule_of_every_minute():
    off = Context(calendars={"x": DaysOff(frozenset(date(2026, 1, d) for d in range(1, 21)))})
    built = trigger(cron("* * * * *"), calendars=[{"ref": "x"}], context=off)

    assert built.next(ms(2025, 12, 31, 23, 59)).local == "2026-01-21T00:00:00"


@pytest.mark.parametrize("on_hit", ["skip", "next_business_day", "previous_business_day"])
def test_late_in_an_open_day_a_rule_of_every_second_is_not_lost(on_hit):
    built = trigger(cron("* * * * * *"), calendars=[{"ref": "work", "on_hit": on_hit}])
    wednesday = ms(2026, 12, 16, 21)

    assert built.next(wednesday).at_ms == wednesday + 1_000
    assert built.prev(ms(2026, 12, 16, 3)).at_ms == ms(2026, 12, 16, 3) - 1_000


def test_a_window_skips_or_defers_to_its_end():
    window = {"start": "2026-01-01T01:00:00Z", "end": "2026-01-01T04:00:00Z"}
    skipped = trigger(cron("0 * * * *"), blackouts=[{**window, "action": "skip"}])
    deferred = trigger(cron("0 * * * *"), blackouts=[{**window, "action": "defer"}])

    assert locals_(skipped, ms(2026, 1, 1), ms(2026, 1, 1, 5)) == ["01-01T00:00", "01-01T04:00"]
    dues = [next(deferred.dues(ms(2026, 1, 1, hour), "s")) for hour in range(4)]
    assert dues[0].slot.at_ms == ms(2026, 1, 1, 3)
    assert dues[0].due_ms == ms(2026, 1, 1, 4)
    assert dues[3].slot.at_ms == dues[3].due_ms == ms(2026, 1, 1, 4)
    assert deferred.prev(ms(2026, 1, 1, 3)).at_ms == ms(2026, 1, 1)


def test_a_year_without_slots_is_looked_past_by_a_rule_of_every_minute():
    window = {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}
    built = trigger(cron("* * * * *"), blackouts=[window])

    assert built.next(ms(2026, 1, 1)).at_ms == ms(2027, 1, 1)
    assert built.prev(ms(2027, 1, 1)).at_ms == ms(2026, 1, 1) - 60_000


@given(st.integers(0, 86_400), st.sampled_from(["slot", "fixed"]), st.integers(0, 10**5))
@few(60)
def test_jitter_is_the_same_each_time_and_never_reaches_the_next_slot(jitter, mode, hour):
    built = trigger(cron("*/10 * * * *"), jitter_s=jitter, jitter_mode=mode)
    slot = built.next(ms(2026, 1, 1) + hour * 3_600_000)

    due = built.due_ms(slot, "schedule")

    assert due == built.due_ms(slot, "schedule")
    assert slot.at_ms <= due <= slot.at_ms + jitter * 1000
    assert due < built.next(slot.at_ms).at_ms


def test_fixed_jitter_is_one_offset_and_slot_jitter_many():
    for mode, many in (("fixed", 1), ("slot", 50)):
        built = trigger(cron("0 0 * * *"), jitter_s=3600, jitter_mode=mode)
        offsets = {built.due_ms(s, "x") - s.at_ms for s in built.between(0, 10**12, 60)}
        assert (len(offsets) == 1) == (many == 1)


def test_bounds_are_inclusive():
    built = trigger(
        cron("0 * * * *"), start_at="2026-01-01T01:00:00Z", end_at="2026-01-01T03:00:00Z"
    )

    assert len(built.between(0, ms(2030, 1, 1))) == 3
    assert built.prev(ms(2030, 1, 1)).at_ms == ms(2026, 1, 1, 3)


def test_a_trigger_without_slots_is_refused_and_one_in_the_past_is_told():
    never = read_trigger({"specs": [cron("0 0 * * *")], "exclude": [cron("* * * * *")]})
    past = read_trigger({"specs": [{"kind": "once", "at": "2020-01-01T00:00:00Z"}]})

    with pytest.raises(ScheduleInvalid) as refused:
        check(never, WEEKEND, ms(2026, 1, 1))
    assert refused.value.code == "schedule.never"
    assert check(past, WEEKEND, ms(2026, 1, 1)) != []
    assert check(read_trigger(DOCUMENTS[0]), WEEKEND, ms(2026, 1, 1)) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (cron("0 9 * * mon-fri"), "At 09:00, Monday, Tuesday, Wednesday, Thursday or Friday in UTC."),
        (cron("0 0 13 * 5"), "At 00:00, day 13 of the month or Friday in UTC."),
        (cron("0 0 13 * 5", dialect="celery"), "At 00:00, day 13 of the month that is also Friday in UTC."),
        (cron("*/20 * * * *"), "Minute 0, 20 and 40 of every hour, every day in UTC."),
        (cron("@every 90s"), "Every 1 minute 30 seconds since it was made."),
        ({"kind": "on_start"}, "Once when a new release starts."),
    ],
)  # fmt: skip
def test_a_trigger_says_what_it_does(spec, words):
    assert trigger(spec).explain() == words


def test_a_zone_says_what_a_change_of_the_clock_does():
    assert "right after it" in trigger(cron("0 9 * * *", tz="Europe/Paris")).explain()


def test_zones_are_places_or_fixed_offsets():
    assert zone("UTC+05:30").offset(0) == 19_800
    assert zone("-08:00").key == "UTC-08:00"
    assert tzdata_version() != ""


@pytest.mark.parametrize("text", ["30 9 * * mon-fri", "*/7 * * * *", "0 0 29 2 *"])
def test_a_trigger_that_many_share_answers_as_one_that_is_asked_by_none_else(text):
    spec = read_trigger(
        {"specs": [cron(text, tz="Europe/Paris")], "end_at": "2028-03-01T00:00:00Z"}
    )
    own, shared = build(spec), build(spec, kind=SharedTrigger)
    chance = random.Random(text)

    asked = [1_767_243_600_000 + chance.randrange(3 * 365 * 86_400_000) for _ in range(200)]
    for at in [each + step for each in asked for step in (0, -40_000, 90_000, 1)]:
        assert shared.next(at) == own.next(at)
        assert shared.prev(at) == own.prev(at)
        assert shared.next_due_ms(at, "s") == own.next_due_ms(at, "s")
