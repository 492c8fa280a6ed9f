"""The tables of the design, cell by cell."""

from __future__ import annotations

import pytest
from z4j_core.errors import ScheduleInvalid

from .conftest import cron, instants, ms, utc

YEAR = ms(2026, 1, 1), ms(2027, 1, 1)

FIRES_2026 = [
    ("0 0 13 * 5", "cron croniter pycron", 61),
    ("0 0 13 * 5", "celery huey parse_crontab", 3),
    ("0 0 13 * 5", "apscheduler3", 1),
    ("0 0 */2 * 1", "cron crontab pycron celery huey parse_crontab", 26),
    ("0 0 */2 * 1", "apscheduler3", 27),
    ("0 0 */2 * 1", "croniter robfig", 212),
    ("0 0 1-31 * 1", "cron crontab croniter pycron robfig", 365),
    ("0 0 1-31 * 1", "celery huey parse_crontab apscheduler3", 52),
    ("0 0 * * 5-7", "cron crontab croniter huey", 156),
    ("0 0 * * 5-7", "pycron", 104),
    ("0 0 * * 5-7", "celery apscheduler3", "schedule.cron_syntax"),
    ("0 0 * * fri-mon", "cron croniter celery", 208),
    ("0 0 * * fri-mon", "pycron", 104),
    ("0 0 * * fri-mon", "huey", "schedule.cron_syntax"),
    ("0 0 * * fri-mon", "apscheduler3 crontab", "schedule.dialect"),
    ("0 0 * * 7", "cron croniter", 52),
    ("0 0 * * 7", "apscheduler3 celery", "schedule.cron_syntax"),
    ("0 0 * * 7", "pycron", "schedule.never"),
    ("0 0 * * 1/2", "cron croniter", 156),
    ("0 0 * * 1/2", "apscheduler3", 157),
    ("0 0 * * 1/2", "celery", "schedule.dialect"),
    ("0 0 * * 1/2", "pycron", "schedule.never"),
    ("0 0 */1,L * */7", "croniter", 365),
    ("0 0 2-31,L * */7", "croniter", 52),
    ("0 0 * * * *", "cron", 8_760),
    ("0 0 * * * *", "croniter", 21_900),
    ("0 0 * * * *", "parse_crontab", 365),
]


@pytest.mark.parametrize(
    ("text", "dialect", "expected"),
    [(text, tag, count) for text, tags, count in FIRES_2026 for tag in tags.split()],
)
def test_a_text_fires_as_often_in_2026_as_its_dialect_says(text, dialect, expected):
    if isinstance(expected, str):
        with pytest.raises(ScheduleInvalid) as refused:
            cron(text, dialect=dialect)

        assert refused.value.code == expected
    else:
        assert len(instants(cron(text, dialect=dialect), *YEAR)) == expected


NY, BEIRUT, CASABLANCA = "America/New_York", "Asia/Beirut", "Africa/Casablanca"
HOWE, CASEY, APIA = "Australia/Lord_Howe", "Antarctica/Casey", "Pacific/Apia"
POLICIES = ("cron", "first", "both", "skip", "literal")

# zone, local date as (first instant, last instant), text, and per policy either the instants of
# UTC or how many there are.
SPRING = (NY, ms(2026, 3, 8, 5), ms(2026, 3, 9, 4))
AUTUMN = (NY, ms(2026, 11, 1, 4), ms(2026, 11, 2, 5))
BEIRUT_SPRING = (BEIRUT, ms(2026, 3, 28, 22), ms(2026, 3, 29, 21))
BEIRUT_24TH = (BEIRUT, ms(2026, 10, 23, 21), ms(2026, 10, 24, 22))
BEIRUT_25TH = (BEIRUT, ms(2026, 10, 24, 22), ms(2026, 10, 25, 22))
CASA_BACK = (CASABLANCA, ms(2026, 2, 14, 23), ms(2026, 2, 16))
CASA_ON = (CASABLANCA, ms(2026, 3, 22), ms(2026, 3, 22, 23))
HOWE_ON = (HOWE, ms(2026, 10, 3, 13, 30), ms(2026, 10, 4, 13))
HOWE_BACK = (HOWE, ms(2026, 4, 4, 13), ms(2026, 4, 5, 13, 30))
CASEY_ON = (CASEY, ms(2020, 10, 3, 16), ms(2020, 10, 4, 13))
APIA_GONE = (APIA, ms(2011, 12, 29, 10), ms(2011, 12, 31, 10))


def twice(first, second):
    """A time that the clock repeats, at fixed minutes and hours."""
    return [first, first, f"{first},{second}", first, f"{first},{second}"]


CHANGES = [
    (SPRING, "30 2 * * *", ["08 07:00", "08 07:30", "08 07:00", "", ""]),
    (SPRING, "*/30 2 * * *", ["08 07:00", "08 07:00", "08 07:00", "", ""]),
    (SPRING, "0 2,3 * * *", [1, 1, 1, 1, 1]),
    (SPRING, "0 * * * *", [23, 23, 23, 23, 23]),
    (SPRING, "30 */2 * * *", [11, 12, 11, 11, 11]),
    (AUTUMN, "30 1 * * *", twice("01 05:30", "01 06:30")),
    (AUTUMN, "0 * * * *", [25, 24, 25, 24, 25]),
    (AUTUMN, "*/30 1 * * *", [4, 2, 4, 2, 4]),
    (BEIRUT_SPRING, "0 0 * * *", ["28 22:00", "28 22:00", "28 22:00", "", ""]),
    (BEIRUT_SPRING, "30 0 * * *", ["28 22:00", "28 22:30", "28 22:00", "", ""]),
    (BEIRUT_24TH, "30 23 * * *", twice("24 20:30", "24 21:30")),
    (BEIRUT_25TH, "0 0 * * *", ["24 22:00"] * 5),
    (CASA_BACK, "30 2 * * *", twice("15 01:30", "15 02:30")),
    (CASA_BACK, "0 * * * *", [25, 24, 25, 24, 25]),
    (CASA_ON, "30 2 * * *", ["22 02:00", "22 02:30", "22 02:00", "", ""]),
    (HOWE_ON, "15 2 * * *", ["03 15:30", "03 15:45", "03 15:30", "", ""]),
    (HOWE_ON, "0 * * * *", [23, 24, 23, 23, 23]),
    (HOWE_BACK, "45 1 * * *", twice("04 14:45", "04 15:15")),
    (HOWE_BACK, "*/15 * * * *", [98, 96, 98, 96, 98]),
    (CASEY_ON, "30 1 * * *", ["03 16:01", "03 17:30", "03 16:01", "", ""]),
    (APIA_GONE, "0 9 * * *", ["29 19:00,30 19:00"] * 5),
    (APIA_GONE, "0 9 30 12 *", [""] * 5),
]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "text", "policy", "expected"),
    [
        (day, text, policy, expected)
        for day, text, cells in CHANGES
        for policy, expected in zip(POLICIES, cells, strict=True)
    ],
)
def test_a_change_of_the_clock_is_met_as_the_policy_says(day, text, policy, expected):
    tz, start, end = day

    found = instants(cron(text, tz=tz, dst=policy), start, end)

    if isinstance(expected, int):
        assert len(found) == expected
    else:
        assert ",".join(map(utc, found)) == expected


def test_a_slot_out_of_a_gap_says_so_and_shows_the_wall_it_is_at():
    (slot,) = cron("30 2 * * *", tz=NY).between(SPRING[1], SPRING[2])

    assert slot == (ms(2026, 3, 8, 7), "2026-03-08T03:00:00", 0, "gap")


def test_the_second_of_two_equal_wall_times_says_so():
    first, second = cron("30 1 * * *", tz=NY, dst="both").between(AUTUMN[1], AUTUMN[2])

    assert first == (ms(2026, 11, 1, 5, 30), "2026-11-01T01:30:00", 0, "")
    assert second == (ms(2026, 11, 1, 6, 30), "2026-11-01T01:30:00", 1, "fold2")
