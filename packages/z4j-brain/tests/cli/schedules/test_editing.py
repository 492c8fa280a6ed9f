"""`z4j schedules` against a served brain: made, looked at, changed."""

from __future__ import annotations

import json

import pytest
from schedule_rows import HERE, audited, row
from z4j_testing.demo.processes import free_port

pytestmark = pytest.mark.live
HOSTILE = "\x1b[2Jgone"


def test_a_schedule_is_added_in_the_words_of_the_file(run, make):
    name = make("tz=Europe/Paris", 'kwargs={"dry": false}', "queue=7", 'tags=["bill"]')

    found = row(run, name)

    assert found["specs"][0] == {
        "kind": "cron", "expr": "0 2 * * *", "dialect": "cron", "tz": "Europe/Paris", "dst": "cron",
    }  # fmt: skip
    assert (found["kwargs"], found["queue"], found["tags"]) == ({"dry": False}, "7", ["bill"])
    assert (found["owner"], found["enabled"], found["paused"]) == ("ui", True, None)


def test_what_is_added_is_told_in_words(run):
    _, out, _ = run("add", "told", "task=shop.bill", "cron=0 2 * * *", *HERE)

    assert out.startswith("made told (")
    assert "At 02:00, every day in UTC" in out


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (["task=t", "crom=0 2 * * *"], "crom: no such field; did you mean cron?"),
        (["task=t", "cron=61 * * * *"], "61 is outside 0-59"),
        (["task=t"], "no timing rule"),
        (["task"], "'task' is not FIELD=VALUE"),
        (["task=t", "task=u"], "task is given twice"),
    ],
)
def test_a_field_that_is_wrong_is_usage_and_makes_nothing(run, brain, fields, said):
    before = brain.rows("SELECT count(*) FROM schedules")

    code, _, err = run("add", "wrong", *HERE, *fields)

    assert (code, said in err) == (2, True), err
    assert brain.rows("SELECT count(*) FROM schedules") == before


def test_a_name_is_taken_once(run, make):
    name = make()

    code, _, err = run("add", name, "task=t", "interval=30", *HERE)

    assert (code, "schedule.name_taken" in err) == (1, True), err


def test_the_list_shows_what_matches_and_moves_no_cursor(run, make):
    name = make('tags=["listed"]', f"description={HOSTILE}")

    code, out, _ = run("list", "-q", "tag:listed")

    assert code == 0
    assert out.split()[:2] == [name, "celery"]
    assert "0 2 * * *" in out
    assert "\x1b" not in out + run("show", name)[1]


def test_with_json_a_row_is_an_object_on_a_line_and_pages_are_joined(run, make):
    for number in range(3):
        make('tags=["paged"]', name=f"paged {number}")

    rows = [json.loads(line) for line in run("-q", "tag:paged", "--json")[1].splitlines()]

    assert [each["name"] for each in rows] == ["paged 0", "paged 1", "paged 2"]
    assert len(run("list", "-q", "tag:paged", "--limit", "2")[1].splitlines()) == 2


def test_an_error_in_the_query_names_its_column(run):
    code, _, err = run("list", "-q", "nam:x")

    assert (code, "column 1" in err, "query.unknown_key" in err) == (2, True, True)


def test_a_name_that_two_engines_have_is_neither(run, make):
    name = make()
    run("add", name, "task=t", "interval=30", "engine=rq", "app=shop")

    code, _, err = run("show", name)

    assert (code, "more than one schedule" in err) == (1, True)
    assert row(run, err.split(": ")[2].split()[0])["name"] == name


def test_a_schedule_that_is_not_there_is_said(run):
    assert run("show", "nope")[0] == 1
    assert run("show", "00000000-0000-7000-8000-000000000000")[0] == 1


def test_next_of_a_schedule_is_shown_in_its_zone_and_in_the_asked_one(run, make):
    name = make("tz=America/Chicago")

    code, out, _ = run(
        "next", name, "--tz", "Europe/Madrid", "-n", "2", "--after", "2027-03-27T05:00Z"
    )

    assert (code, out.splitlines()) == (0, [
        "2027-03-27 02:00 America/Chicago  08:00 Europe/Madrid",
        "2027-03-28 02:00 America/Chicago  09:00 Europe/Madrid  clocks go forward in Madrid",
    ])  # fmt: skip


def test_next_of_an_interval_is_what_the_brain_says_it_is(run, make):
    name = make("interval=1h")

    first = json.loads(run("next", name, "-n", "1", "--json")[1])

    assert first["slot_ms"] == row(run, name)["next_slot_ms"]


def test_explain_of_a_schedule_is_its_words(run, make):
    name = make("tz=Europe/Paris")

    assert run("explain", name)[1].splitlines()[0] == row(run, name)["words"]


def test_an_edit_changes_what_was_named_and_nothing_else(run, make):
    name = make("tz=Europe/Paris", 'kwargs={"dry": false}', "queue=slow")
    before = row(run, name)

    code, out, _ = run("edit", name, "cron=30 3 * * *", "queue=")

    after = row(run, name)
    assert (code, out.splitlines()[0]) == (0, "changed queue, specs")
    assert after["specs"][0] == before["specs"][0] | {"expr": "30 3 * * *"}
    assert (after["queue"], after["kwargs"]) == (None, {"dry": False})
    assert after["generation"] == before["generation"] + 1


def test_another_timing_rule_replaces_the_old_one_with_its_zone(run, make):
    name = make("tz=Europe/Paris")

    assert run("edit", name, "interval=PT30S")[0] == 0
    assert [spec["kind"] for spec in row(run, name)["specs"]] == ["interval"]


def test_an_edit_that_changes_nothing_sends_nothing(run, make, brain):
    name = make("queue=slow")
    before = audited(brain)

    code, out, _ = run("edit", name, "queue=slow", "tz=UTC")

    assert (code, out.splitlines()[0], audited(brain)) == (0, "nothing changes", before)


def test_a_schedule_can_get_another_name_and_be_switched_off(run, make):
    name = make()

    assert run("edit", name, "name=renamed", "enabled=false")[0] == 0
    assert row(run, "renamed")["enabled"] is False
    assert "disabled" in run("list", "-q", "name:renamed")[1]


def test_a_pause_has_a_reason_and_an_end_and_a_resume_undoes_it(run, make):
    name = make()

    assert run("pause", name, "--until", "2h", "--note", "moving")[0] == 0
    paused = row(run, name)["paused"]
    assert paused["note"] == "moving"
    assert paused["until"] - paused["at"] == pytest.approx(7_200_000, abs=60_000)
    assert "paused    by" in run("show", name)[1]
    assert run("resume", name)[0] == 0
    assert row(run, name)["paused"] is None


def test_a_wrong_token_is_refused_and_a_brain_that_is_away_is_told(run, monkeypatch):
    monkeypatch.setenv("Z4J_TOKEN", "z4jt_wrong")
    refused = run("list")
    monkeypatch.setenv("Z4J_URL", f"http://127.0.0.1:{free_port()}")
    away = run("list")

    assert (refused[0], "auth.required" in refused[2]) == (4, True)
    assert (away[0], "Z4J-E106" in away[2]) == (3, True)
