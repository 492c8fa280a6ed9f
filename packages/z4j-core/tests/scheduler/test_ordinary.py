"""The short way to when a row is due says what the long way says, or that it does not know."""

from __future__ import annotations

import random
from uuid import UUID

import pytest
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.document import Replica, decoded, read_definition
from z4j_core.scheduler.leader.glance import glance
from z4j_core.scheduler.leader.ordinary import UNSURE, due_after

YEAR_MS = 366 * 86_400_000
NOW_MS = 1_790_000_000_000
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "UTC+05:30")
DAYS = ("* * *", "* * mon-fri", "1,15 * *", "L * *", "* 2 sun#2", "29 2 *")
EVERY = (1, 0.25, 10_800, 86_400, "PT90M")


def replica(specs, **more):
    definition = read_definition({"name": "n", "task": "t", "specs": specs} | more)
    created = NOW_MS - 12_345
    return Replica(str(UUID(int=7)), 1, 1, created, created, definition).encoded()


def spec(chance):
    kind = chance.choice(("cron", "cron", "cron", "interval", "once"))
    if kind == "interval":
        anchor = chance.choice(("created", "epoch", "2026-01-01T00:00:00Z"))
        return {"kind": kind, "every": chance.choice(EVERY), "anchor": anchor,
                "mode": chance.choice(("fixed_rate", "fixed_delay"))}  # fmt: skip
    if kind == "once":
        year = chance.randrange(2024, 2031)
        return {"kind": kind, "at": f"{year}-03-{chance.randrange(1, 29):02}T02:30:00+01:00"}
    minute = chance.choice(("*", "*/7", str(chance.randrange(60)), "H"))
    hour = chance.choice(("*", "1-3", str(chance.randrange(24))))
    dst = chance.choice(("cron", "first", "both", "skip", {"gap": "after", "fold": "last"}))
    expr = chance.choice((f"{minute} {hour} {chance.choice(DAYS)}", "@daily", "@every 90s"))
    return {"kind": kind, "expr": expr, "tz": chance.choice(ZONES), "dst": dst}


def long_way(data, after_ms):
    _, schedule = glance(data)
    return schedule.trigger.next_due_ms(after_ms, schedule.id)


def test_both_ways_agree_on_thousands_of_rows_and_the_short_one_knows_most():
    chance, known = random.Random(7), 0

    for number in range(4_000):
        data, after = replica([spec(chance)]), NOW_MS + chance.randrange(-YEAR_MS, YEAR_MS)
        found = due_after(decoded(data), after)
        if found is not UNSURE:
            known += 1
            assert found == long_way(data, after), (number, data, after)

    assert known > 2_000


@pytest.mark.parametrize(
    "more",
    [
        {"jitter_s": 60}, {"max_fires": 3}, {"end_at": "2030-01-01T00:00:00Z"},
        {"start_at": "2030-01-01T00:00:00Z"}, {"exclude": [{"kind": "cron", "expr": "0 3 * * *"}]},
        {"calendars": [{"ref": "office"}]},
        {"blackouts": [{"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}]},
    ],
)  # fmt: skip
def test_whatever_else_moves_slots_takes_the_long_way(more):
    row = decoded(replica([{"kind": "cron", "expr": "0 3 * * *"}], **more))

    assert due_after(row, NOW_MS) is UNSURE


@pytest.mark.parametrize("more", [{"enabled": False}, {"paused": True}, {"paused_until_ms": 5}])
def test_what_is_held_takes_the_long_way(more):
    row = decoded(replica([{"kind": "cron", "expr": "0 3 * * *"}])) | more

    assert due_after(row, NOW_MS) is UNSURE


def test_several_timings_take_the_long_way():
    row = decoded(replica([{"kind": "cron", "expr": "0 3 * * *"}] * 2))

    assert due_after(row, NOW_MS) is UNSURE


def test_a_zone_that_nobody_knows_is_no_answer():
    row = decoded(replica([{"kind": "cron", "expr": "0 3 * * *"}]))
    row["specs"][0]["tz"] = "Europe/Atlantis"

    with pytest.raises(ScheduleInvalid):
        due_after(row, NOW_MS)
