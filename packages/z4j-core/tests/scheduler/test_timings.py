"""Intervals, calendars, single times, the sun, rules of RFC 5545."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from math import degrees

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.calendars import EveryDays, EveryMonths
from z4j_core.scheduler.ics import dates_of
from z4j_core.scheduler.interval import FixedDelay, Interval, wall_slot
from z4j_core.scheduler.rrule import Rrule
from z4j_core.scheduler.slots import wall, wall_seconds
from z4j_core.scheduler.solar import EVENTS, Solar, sun_at
from z4j_core.scheduler.walls import Wall, dst_of
from z4j_core.scheduler.zone import zone

from .conftest import few, ms

QUICK = few(60)


def walls(timing, start, end, limit=1000):
    return [slot.local for slot in timing.between(start, end, limit)]


# ------------------------------------------------------------------------------ interval


@given(st.integers(100, 10**10), *[st.integers(10**12, 2 * 10**12)] * 2)
@QUICK
def test_an_interval_is_a_grid_from_its_start(every, start, after):
    interval = Interval(every, start)

    slot = interval.next(after)

    assert slot.at_ms > after
    assert (slot.at_ms - start) % every == 0
    assert slot.at_ms - every <= max(after, start - every)
    assert interval.prev(slot.at_ms + 1) == slot


def test_an_interval_does_not_drift_in_ten_years():
    interval = Interval(10_000, ms(2026, 1, 1))

    assert interval.next(ms(2036, 1, 1) - 1).at_ms == ms(2036, 1, 1)


def test_a_fixed_delay_counts_from_the_end_of_the_last_run():
    assert FixedDelay(60_000, 5_000, None).next(0).at_ms == 5_000
    assert FixedDelay(60_000, 5_000, 100_000).next(0).at_ms == 160_000
    assert FixedDelay(60_000, 5_000, 100_000).next(160_000) is None


# ------------------------------------------------------------------------------ calendar


def every_month(day, *, clamp, months=1):
    nominals = EveryMonths(datetime(2026, 1, day, 9), months, clamp=clamp)
    return Wall(nominals, zone("Europe/Berlin"), dst_of("cron"))


def test_a_short_month_shortens_one_slot_and_none_behind_it():
    found = walls(every_month(31, clamp=True), ms(2026, 1, 1), ms(2026, 6, 1))

    assert [local[5:10] for local in found] == ["01-31", "02-28", "03-31", "04-30", "05-31"]


def test_a_month_without_the_day_is_left_out_where_asked():
    found = walls(every_month(31, clamp=False), ms(2026, 1, 1), ms(2026, 8, 1))

    assert [local[5:10] for local in found] == ["01-31", "03-31", "05-31", "07-31"]


@given(st.integers(1, 31), st.integers(1, 30), st.booleans(), st.integers(0, 15_000))
@QUICK
def test_months_agree_both_ways_and_never_come_before_the_anchor(day, months, clamp, later):
    timing = every_month(day, clamp=clamp, months=months)
    at = ms(2025, 1, 1) + later * 86_400_000

    slot = timing.next(at)

    if slot is not None:
        assert timing.prev(slot.at_ms + 1) == slot
        before = timing.prev(slot.at_ms)
        assert before is None or before.at_ms <= at
        assert slot.at_ms >= ms(2026, 1, 1)


def test_days_are_counted_by_the_wall_across_a_change_of_the_clock():
    timing = Wall(EveryDays(datetime(2026, 3, 27, 9), 2), zone("Europe/Berlin"), dst_of("cron"))

    found = timing.between(ms(2026, 3, 27), ms(2026, 4, 1))

    assert [slot.local for slot in found] == [
        "2026-03-27T09:00:00",
        "2026-03-29T09:00:00",
        "2026-03-31T09:00:00",
    ]
    assert found[1].at_ms - found[0].at_ms == 47 * 3_600_000


# ------------------------------------------------------------------------------ once


@pytest.mark.parametrize(
    ("local", "tz", "fold", "expected"),
    [
        (datetime(2026, 3, 8, 2, 30), "America/New_York", 0, (ms(2026, 3, 8, 7), "gap")),
        (datetime(2026, 11, 1, 1, 30), "America/New_York", 0, (ms(2026, 11, 1, 5, 30), "")),
        (datetime(2026, 11, 1, 1, 30), "America/New_York", 1, (ms(2026, 11, 1, 6, 30), "fold2")),
        (datetime(2026, 7, 1, 9), "UTC+05:30", 0, (ms(2026, 7, 1, 3, 30), "")),
    ],
)
def test_a_single_wall_time_is_one_instant(local, tz, fold, expected):
    slot = wall_slot(wall_seconds(local), zone(tz), fold)

    assert (slot.at_ms, slot.note) == expected


def test_a_single_time_on_a_date_that_does_not_exist_is_none():
    assert wall_slot(wall_seconds(datetime(2011, 12, 30, 9)), zone("Pacific/Apia")) is None


# ------------------------------------------------------------------------------ solar

PLACES = [  # latitude, longitude, tolerance in seconds
    (51.5, -0.12, 8),
    (-36.85, 174.76, 8),
    (0.0, -78.5, 8),
    (40.71, -74.0, 8),
    (69.65, 18.96, 32),
    (78.0, 15.65, 48),
]
CELERYS = [event for event in EVENTS if event.startswith(("dawn", "dusk", "sun", "solar_noon"))]


def grazes(lat, event, at_ms):
    """Whether the sun barely reaches the altitude that day: there seconds grow without bound."""
    declination = degrees(sun_at(at_ms / 1000).declination)
    noon, midnight = 90 - abs(lat - declination), abs(lat + declination) - 90
    altitude = EVENTS[event][1]
    return min(abs(noon - altitude), abs(midnight - altitude)) < 1.5 and event != "solar_noon"


def off_by(lat, lon, event, days):
    """The largest difference from ephem through a year, where both find the event."""
    ephem = pytest.importorskip("ephem")
    schedules = pytest.importorskip("celery.schedules")
    judge = schedules.solar(event, lat, lon)
    solar, worst, found = Solar(event, lat, lon), 0.0, 0
    for day in days:
        at = ms(2026, 1, 1) + day * 86_400_000
        if grazes(lat, event, at):
            continue
        judge.cal.date = ephem.Date(datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None))
        try:
            use = {"use_center": True} if judge.use_center else {}
            theirs = getattr(judge.cal, judge.method)(ephem.Sun(), start=judge.cal.date, **use)
        except ephem.CircumpolarError:
            continue
        slot = solar.next(at)
        other = theirs.datetime().replace(tzinfo=UTC).timestamp()
        if abs(slot.at_ms / 1000 - other) < 43_200:
            worst = max(worst, abs(slot.at_ms / 1000 - other))
            found += 1
    return worst, found


@pytest.mark.parametrize(("lat", "lon", "tolerance"), PLACES)
def test_the_sun_is_where_ephem_says(lat, lon, tolerance):
    for event in CELERYS:
        worst, _ = off_by(lat, lon, event, range(0, 365, 15))

        assert worst <= tolerance, event


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("lat", "lon", "tolerance"), PLACES)
def test_the_sun_is_where_ephem_says_on_every_day(lat, lon, tolerance, record_property):
    said = [(event, *off_by(lat, lon, event, range(365))) for event in CELERYS]

    event, worst, _ = max(said, key=lambda row: row[1])
    record_property("figures", f"{lat} {lon}: {worst:.1f} s at most ({event})")
    assert worst <= tolerance


def test_days_without_the_event_have_no_slot_or_their_noon():
    night = ms(2026, 12, 1)

    skipped = Solar("sunrise", 78.22, 15.65).next(night)
    noon = Solar("sunrise", 78.22, 15.65, noon=True).next(night)

    assert skipped.at_ms > ms(2027, 2, 1)
    assert noon.at_ms < night + 86_400_000
    assert noon.note == "polar"


@given(
    st.sampled_from(sorted(EVENTS)), st.floats(-66, 66), st.floats(-180, 180), st.integers(0, 9000)
)
@QUICK
def test_the_days_of_the_sun_agree_both_ways(event, lat, lon, day):
    solar = Solar(event, lat, lon, offset_s=600)
    slot = solar.next(ms(2020, 1, 1) + day * 86_400_000)

    if slot is not None:
        assert solar.prev(slot.at_ms + 1) == slot
        assert solar.next(slot.at_ms - 1) == slot
        assert slot.at_ms % 1000 == 0


# ------------------------------------------------------------------------------ rrule

RULES = [
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY;BYDAY=MO,WE;INTERVAL=2",
    "FREQ=WEEKLY;BYDAY=SU;INTERVAL=3;WKST=SU",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=HOURLY;INTERVAL=7",
    "FREQ=MINUTELY;INTERVAL=43;BYHOUR=9,10",
    "FREQ=DAILY;COUNT=40",
    "FREQ=DAILY;UNTIL=20260301T000000",
    "FREQ=SECONDLY;INTERVAL=3601",
]


def rule(text, start="20260101T023000", more=""):
    return Rrule(f"DTSTART;TZID=Europe/Berlin:{start}\nRRULE:{text}{more}")


@pytest.mark.parametrize("text", RULES)
@pytest.mark.parametrize("start", ["20260101T023000", "20240229T110000", "20190617T000000"])
def test_a_rule_has_the_walls_that_dateutil_finds(text, start):
    truth = rrulestr(text, dtstart=datetime.strptime(start, "%Y%m%dT%H%M%S"))
    at = datetime(2026, 2, 1)
    expected = [truth.before(at, inc=True), *truth.xafter(at, count=9 if "YEARLY" in text else 60)]
    ours = rule(text, start)

    found = wall_seconds(at)
    for before, then in pairwise(expected):
        found = ours.after(found)
        assert wall(found) == then
        behind = ours.before(found)
        assert (None if behind is None else wall(behind)) == before
    if "COUNT" in text or "UNTIL" in text:
        assert ours.after(found) is None


def test_a_rule_loses_what_it_excludes_and_gains_what_it_adds():
    text = "FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Berlin:20260102T023000\nRDATE:20260110T083000Z"
    timing = Wall(rule(text), zone("Europe/Berlin"), dst_of("cron"))

    assert [local[5:16] for local in walls(timing, ms(2025, 12, 31), ms(2026, 2, 1))] == [
        "01-01T02:30",
        "01-03T02:30",
        "01-10T09:30",
    ]


def test_the_wall_times_of_a_rule_meet_the_gap_as_any_other():
    timing = Wall(rule("FREQ=DAILY"), zone("Europe/Berlin"), dst_of("cron"))

    (slot,) = timing.between(ms(2026, 3, 29), ms(2026, 3, 30))

    assert slot == (ms(2026, 3, 29, 1), "2026-03-29T03:00:00", 0, "gap")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RRULE:FREQ=DAILY", "DTSTART"),
        ("DTSTART:20260101T000000\nRRULE:FREQ=DAILY", "TZID"),
        ("DTSTART;TZID=Europe/Berlin:20261301T000000", "time"),
        ("DTSTART;TZID=Europe/Berlin:20260101T000000\nRRULE:FREQ=SOMETIMES", "FREQ"),
        ("DTSTART;TZID=Europe/Berlin:20260101T000000\nRRULE:FREQ=DAILY;BYDAY=XX", "rule"),
        ("DTSTART;TZID=Europe/Berlin:20260101T000000\nRRULE:FREQ=DAILY;COUNT=99999", "COUNT"),
        ("DTSTART;TZID=Europe/Berlin:20260101T000000\nEXRULE:FREQ=DAILY", "read"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(text, said):
    with pytest.raises(ScheduleInvalid, match=said) as refused:
        Rrule(text)

    assert refused.value.hint


# ------------------------------------------------------------------------------ ics


def test_the_dates_of_a_file_are_the_days_of_its_events():
    text = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261224\r\n"
        "DTEND;VALUE=DATE:20261227\r\nSUMMARY:a long\r\n  name\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nDTSTART:20270101T100000\r\nDTEND:20270101T120000\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n"
    )

    assert sorted(str(day) for day in dates_of(text)) == [
        "2026-12-24",
        "2026-12-25",
        "2026-12-26",
        "2027-01-01",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        "DTSTART:20261224\nRRULE:FREQ=YEARLY",
        "SUMMARY:x",
        "DTSTART:20261324",
        "DTSTART:20261224\nDTEND:20261223",
        "DTSTART:20000101\nDTEND:20990101",
    ],
)
def test_a_file_without_plain_dates_is_refused(lines):
    with pytest.raises(ScheduleInvalid) as refused:
        dates_of(f"BEGIN:VEVENT\n{lines}\nEND:VEVENT\n")

    assert refused.value.code == "schedule.calendar"
