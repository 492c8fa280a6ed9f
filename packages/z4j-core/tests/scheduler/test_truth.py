"""Ground truth: a scan of every real minute around changes of the clock, with the rules in prose.

Nothing here asks the code under test about zones: minutes are converted one by one, and what the
design says of gaps and folds is applied to the list of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.cron import parse
from z4j_core.scheduler.walls import Wall, dst_of
from z4j_core.scheduler.zone import zone

POLICIES = {
    "cron": ("after", "first", "both"),
    "first": ("shift", "first", "first"),
    "both": ("after", "both", "both"),
    "skip": ("skip", "first", "first"),
    "literal": ("skip", "both", "both"),
}
TEXTS = (
    """
* * * * *|*/15 * * * *|*/30 2 * * *|30 * * * *|0 * * * *|59 * * * *|30 2 * * *|0 2 * * *|30 1 * * *
0 0 * * *|30 0 * * *|59 23 * * *|30 23 * * *|0 1 * * *|15 2 * * *|45 1 * * *|0 3 * * *|0 2,3 * * *
30 */2 * * *|0 */2 * * *|*/20 1-3 * * *|*/7 0 * * *|0-59 2 * * *|0 0-23 * * *|10,40 1,2,3 * * *
0 0 * * sun|30 2 * * sun|30 1 1-7 * *|0 0 1 * *|*/30 1 * * sun,sat|30 2 29-31 3 *|0 4 * 10 *
*/5 22-2 * * *|0 12 * * *|1 0,1 * * *|29 2 * * *|31 2 * * *|* 2 * * *|* 0 * * *|2-58/4 */3 * * *
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
SAMPLE = [
    "America/New_York",
    "Europe/Berlin",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "America/Nuuk",
    "Africa/Cairo",
    "Pacific/Norfolk",
]
MINUTE = timedelta(minutes=1)


def test_there_are_forty_texts_to_try():
    assert len(TEXTS) == len(set(TEXTS)) == 40


def offset(tz, at):
    return datetime.fromtimestamp(at, tz).utcoffset()


@cache
def transitions(key, first=2020, last=2035):
    """Every instant at which the offset of a zone changes, by bisection between quarter days."""
    tz = ZoneInfo(key)
    at = int(datetime(first, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(last + 1, 1, 1, tzinfo=UTC).timestamp())
    found = []
    was = offset(tz, at)
    while at < end:
        now = offset(tz, at + 21_600)
        if now != was:
            low, high = at, at + 21_600
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(tz, middle) == was else (low, middle)
            found.append((high, int(was.total_seconds()), int(now.total_seconds())))
        at, was = at + 21_600, now
    return tuple(found)


def distinct_zones(first=2020, last=2035):
    """One zone for each history of changes; abbreviations are no places."""
    found = {}
    for key in sorted(available_timezones()):
        try:
            zone(key)
        except ScheduleInvalid:
            continue
        if changes := transitions(key, first, last):
            found.setdefault(changes, key)
    return sorted(found.values())


class Minutes:
    """The real minutes of the local dates around a change."""

    def __init__(self, key, change):
        self.at, self.before, self.after = change
        tz = ZoneInfo(key)
        first = datetime.fromtimestamp(self.at - 129_600, tz).date()
        last = datetime.fromtimestamp(self.at + 129_600, tz).date()
        self.dates = [first + timedelta(days=n) for n in range(1, (last - first).days)]
        self.real = {}
        self.instants = []
        for minute in range(self.at // 60 - 4320, self.at // 60 + 4320):
            wall = datetime.fromtimestamp(minute * 60, tz).replace(tzinfo=None)
            if wall.date() in self.dates:
                self.real.setdefault(wall, []).append(minute * 60)
                self.instants.append(minute * 60)
        self.gap = (
            datetime.fromtimestamp(self.at + self.before, UTC).replace(tzinfo=None),
            datetime.fromtimestamp(self.at + self.after, UTC).replace(tzinfo=None),
        )
        existing = {wall.date() for wall in self.real}
        self.dates = [date for date in self.dates if date in existing]

    def nominals(self, read):
        """All nominal minutes of the dates that exist, in order."""
        minutes = sorted(read.columns["minute"].values)
        hours = sorted(read.columns["hour"].values)
        return [
            datetime(date.year, date.month, date.day, hour, minute)
            for date in self.dates
            if date.day in read.rule.of(date.year, date.month)
            for hour in hours
            for minute in minutes
        ]


def expected(minutes, read, nominals, policy):
    gap, fold, fold_wild = POLICIES[policy]
    words = read.text.split()
    wild = words[0][0] == "*" or words[1][0] == "*"
    fold = fold_wild if wild else fold
    fires, lost = set(), []
    for nominal in nominals:
        instants = minutes.real.get(nominal, [])
        if not instants:
            lost.append(nominal)
        elif fold == "both":
            fires.update(instants)
        else:
            fires.add(instants[0])
    if lost and gap == "shift":
        fires.add(int((min(lost) - datetime(1970, 1, 1)).total_seconds()) - minutes.before)
    elif lost and gap == "after":
        whole = any(
            all(n in lost for n in nominals if n.date() == date)
            for date in {n.date() for n in lost}
        )
        if not wild or (words[1][0] != "*" and whole):
            fires.add(minutes.at)
    return sorted(at for at in fires if minutes.instants[0] <= at <= minutes.instants[-1])


def compare(key, change):
    minutes = Minutes(key, change)
    start, end = minutes.instants[0] * 1000 - 1, minutes.instants[-1] * 1000
    cases = 0
    for text in TEXTS:
        read = parse(text)
        nominals = minutes.nominals(read)
        for policy in POLICIES:
            timing = Wall(read.times, zone(key), dst_of(policy))
            found = [slot.at_ms // 1000 for slot in timing.between(start, end, 10_000)]
            assert found == expected(minutes, read, nominals, policy), (key, change, text, policy)
            if cases % 7 == 0:
                back, at = [], end + 1
                while (slot := timing.prev(at)) is not None and slot.at_ms > start:
                    back.append(slot.at_ms // 1000)
                    at = slot.at_ms
                assert back[::-1] == found, (key, change, text, policy)
            cases += 1
    return cases


@pytest.mark.parametrize("key", SAMPLE)
def test_every_slot_around_a_change_of_2026_is_where_a_scan_of_minutes_finds_it(key):
    changes = transitions(key, 2026, 2026)

    cases = sum(compare(key, change) for change in changes[:2])

    assert cases >= 200 * min(len(changes), 2)


def test_the_change_of_three_hours_and_the_one_of_a_minute_past_are_met():
    changes = transitions("Antarctica/Casey", 2020, 2020)

    assert [compare("Antarctica/Casey", change) for change in changes] == [200] * len(changes)
    assert any(after - before == 3 * 3600 for _, before, after in changes)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_every_slot_around_every_change_of_every_zone_is_where_a_scan_of_minutes_finds_it(
    record_property,
):
    zones = distinct_zones()
    cases = sum(compare(key, change) for key in zones for change in transitions(key))

    changes = sum(len(transitions(key)) for key in zones)
    record_property("figures", f"{cases} cases, {changes} changes, {len(zones)} histories of zones")
    assert len(zones) > 40


def half_past_one(keys, first, last):
    """How often 01:30 fires on each local date of a change, and how many there were."""
    looked = 0
    for key in keys:
        timing = Wall(parse("30 1 * * *").times, zone(key), dst_of("cron"))
        for at, *_ in transitions(key, first, last):
            for date in {
                datetime.fromtimestamp(moment, ZoneInfo(key)).date() for moment in (at - 1, at)
            }:
                looked += 1
                noon = datetime(date.year, date.month, date.day, 12, tzinfo=ZoneInfo(key))
                end = int(noon.timestamp() * 1000)
                midnight = end - 18 * 3_600_000
                slots = [
                    slot
                    for slot in timing.between(midnight, end)
                    if slot.local.startswith(str(date))
                ]
                assert len(slots) == 1, (key, date, slots)
    return looked


def test_half_past_one_fires_exactly_once_on_both_days_of_a_change_in_every_zone():
    assert half_past_one(distinct_zones(2026, 2026), 2026, 2026) > 40


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_half_past_one_fires_exactly_once_on_every_day_of_a_change_until_2035():
    assert half_past_one(distinct_zones(), 2020, 2035) > 1000
