"""`z4j schedules calendars` against a served brain."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.live


def test_a_calendar_is_set_shown_used_and_deleted(run, make):
    days = ("2026-12-25", "2026-12-28")
    assert run("calendars", "set", "bank days", *days, "--weekend", "sat,sun")[0] == 0
    name = make('calendars=[{"ref": "bank days", "on_hit": "next_business_day"}]')

    out = run("next", name, "-n", "1", "--after", "2026-12-24T12:00Z")[1]

    assert out == "2026-12-29 02:00 UTC    moved to a business day\n"
    assert run("calendars", "show", "bank days")[1].splitlines() == ["weekend sun,sat", *days]
    assert "bank days  2 dates  sun,sat" in run("calendars")[1]
    code, _, err = run("calendars", "delete", "bank days")
    assert (code, "calendar.in_use" in err) == (1, True), err


def test_a_calendar_is_read_from_a_file_and_can_go(run, tmp_path):
    (tmp_path / "days.ics").write_text(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261225\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )

    assert run("calendars", "set", "feast", "days.ics")[0] == 0
    assert json.loads(run("calendars", "show", "feast", "--json")[1])["dates"] == ["2026-12-25"]
    assert run("calendars", "delete", "feast")[0] == 0
    assert run("calendars", "show", "feast")[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set"], "needs a name"),
        (["set", "x", "tomorrow"], "no date 'tomorrow'"),
        (["set", "x", "2026-12-25", "--weekend", "fry"], "no day 'fry'"),
        (["set", "x", "gone.ics"], "cannot read gone.ics"),
    ],
)
def test_a_calendar_that_cannot_be_read_is_usage(run, words, said):
    code, _, err = run("calendars", *words)

    assert (code, said in err) == (2, True), err
