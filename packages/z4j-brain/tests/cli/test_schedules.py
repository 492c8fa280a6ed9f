"""`z4j schedules` against a served brain: made, looked at, changed, acted on, applied."""

from __future__ import annotations

import io
import json
import os
import sys
from uuid import UUID

import pytest
from desk import Desk, agent
from served import PROJECT, served
from z4j_core import EventKind, TaskDef, TaskEvent
from z4j_core.agent.ledger import Status, Why, fire_line
from z4j_core.cli.schedules import main
from z4j_core.scheduler.fires import fire_id
from z4j_core.wire.codec import pack
from z4j_testing.demo.processes import free_port
from z4j_testing.signals import eventually

pytestmark = pytest.mark.live
HERE = ("engine=celery", "app=shop")
HOSTILE = "\x1b[2Jgone"


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    with served(tmp_path_factory.mktemp("schedules")) as running:
        yield running


@pytest.fixture
def run(brain, tmp_path, monkeypatch, capsys):
    """Run `z4j schedules …` with a token of the development project; (exit status, out, err)."""
    token = json.loads((brain.home / "told.json").read_text())["token"]
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("Z4J_URL", brain.url)
    monkeypatch.setenv("Z4J_TOKEN", token)

    def command(*arguments):
        capsys.readouterr()
        code = main([*arguments, "--project", PROJECT])
        return code, *capsys.readouterr()

    return command


@pytest.fixture
def make(run, request):
    """Make a schedule named for the test."""
    name = request.node.name.removeprefix("test_")[:36]

    def made(*fields, name=name):
        timing = (
            () if any(field.startswith("interval=") for field in fields) else ("cron=0 2 * * *",)
        )
        code, _, err = run("add", name, "task=shop.bill", *timing, *HERE, *fields)
        assert code == 0, err
        return name

    return made


def row(run, name):
    code, out, err = run("show", name, "--json")
    assert code == 0, err
    return json.loads(out)


def audited(brain):
    return brain.rows("SELECT count(*) FROM audit_event")[0][0]


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


DAYS = ("2026-01-01T00:00Z", "2026-01-03T00:00Z")


def test_without_a_terminal_a_backfill_is_counted_and_not_sent(run, make, brain, monkeypatch):
    name = make()
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    before = audited(brain)

    code, out, err = run("backfill", name, *DAYS)

    assert (code, out) == (2, f"{name}: 2 slots\n"), err
    assert "give --yes" in err
    assert audited(brain) == before


def test_a_backfill_of_no_slot_is_done(run, make):
    name = make()

    code, out, _ = run("backfill", name, "2026-01-01T03:00Z", "2026-01-01T04:00Z", "--yes")

    assert (code, out) == (0, f"{name}: 0 slots\n")


def test_a_backfill_of_the_future_is_usage(run, make):
    code, _, err = run("backfill", make(), "2026-01-01T03:00Z", "2h", "--yes")

    assert (code, "/to_ms: this is in the future" in err) == (2, True), err


class Shop(Desk):
    """An engine that places what it is told to."""

    name = "celery"

    def enqueue(self, job):
        self.emit(TaskEvent(EventKind.ENQUEUED, job.id, 0, job.task, "pay"))
        return job.id

    def discover(self):
        return [TaskDef("shop.bill")]


def test_what_is_fired_by_hand_is_placed_and_stands_in_the_history(run, make, teller):
    name = make()

    code, out, err = run("fire", name, "--reason", "to see")

    assert code == 0, err
    fire = out.split()[-1]
    assert out == f"{name}: sent as {fire}\n"
    told = lambda: [json.loads(line) for line in run("history", name, "--json")[1].splitlines()]  # noqa: E731
    eventually(lambda: [each["status"] for each in told()] == ["sent"], "the fire to be told")
    (only,) = told()
    assert (only["fire_id"], only["trigger"]) == (fire, "manual")

    code, out, err = run("replay", name, fire, "--definition", "then")
    assert code == 0, err
    eventually(lambda: {each["trigger"] for each in told()} == {"manual", "replay"}, "the replay")


def test_a_backfill_fires_each_slot(run, make, teller):
    name = make()

    code, out, err = run("backfill", name, *DAYS, "--yes")

    assert (code, out.splitlines()[0]) == (0, f"{name}: 2 slots"), err
    assert out.splitlines()[1].startswith("backfill ")
    told = lambda: run("history", name, "--trigger", "backfill", "--status", "sent")[1]  # noqa: E731
    eventually(lambda: len(told().splitlines()) == 2, "both slots to be fired")


def test_groups_say_where_each_stands(run, make, teller):
    make()

    code, out, _ = run("groups")

    (line,) = [line for line in out.splitlines() if line.startswith("celery  shop")]
    assert (code, "revision" in line) == (0, True)


def test_where_there_is_one_group_it_need_not_be_named(run, make, teller):
    code, _, err = run("add", "unplaced", "task=shop.bill", "interval=30", "engine=celery")

    assert code == 0, err
    assert row(run, "unplaced")["app"] == "shop"


@pytest.fixture(scope="module")
def teller(brain):
    """An agent that tells of fires as a leader does."""
    handle = agent(brain.home, brain.dsn)
    source = handle.process.add(Shop("shop")).source
    handle.process.begin()

    def tell(schedule, *lines):
        for status, trigger, more in lines:
            slot = more.pop("slot", schedule["next_slot_ms"])
            line = fire_line(
                source, slot * 1000, fire_id(schedule["id"], 1, slot),
                status, trigger=trigger, schedule=UUID(schedule["id"]).bytes, generation=1,
                slot=slot, slot_local="2027-01-01T02:00:00", **more,
            )  # fmt: skip
            handle.process.writer.append_control(pack(line))
        assert handle.flush(10)

    yield tell
    handle.close()


def test_history_tells_what_became_of_each_fire(run, make, teller):
    name = make("interval=1h")
    found = row(run, name)
    later = found["next_slot_ms"] + 3_600_000
    teller(
        found,
        (Status.SENT, Why.TIMER, {"lag_ms": 12}),
        (Status.MISSED, Why.CATCHUP, {"count_": 3, "slot": later, "reason": "away"}),
    )

    code, out, _ = run("history", name)

    assert code == 0
    missed, sent = out.splitlines()
    assert ("missed 3 times" in missed, "away" in missed) == (True, True)
    assert sent.split()[:3] == ["2027-01-01T02:00:00", "sent", "timer"]
    assert "12 ms" in sent
    assert fire_id(found["id"], 1, found["next_slot_ms"]) in sent
    (only,) = run("history", name, "--status", "missed", "--json")[1].splitlines()
    assert json.loads(only)["slot_ms"] == later
    assert name in run("history")[1]


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


@pytest.fixture
def declare(tmp_path, request):
    """Write a set of the test's own tag; its file."""
    tag = "t" + format(abs(hash(request.node.name)), "x")[:12]

    def write(schedules, **more):
        whole = {
            "tag": tag,
            "defaults": {"engine": "celery", "app": "shop"},
            "schedules": {f"{tag} {name}": each for name, each in schedules.items()},
            **more,
        }
        path = tmp_path / "schedules.json"
        path.write_text(json.dumps(whole))
        return tag

    return write


BILL = {"task": "shop.bill", "cron": "0 2 * * *"}


def test_apply_makes_what_diff_said_and_twice_is_no_change_and_no_record(run, brain, declare):
    tag = declare({"bill": BILL, "poll": {"task": "shop.poll", "interval": 30}})

    code, out, _ = run("diff", "schedules.json")
    assert (code, out.splitlines()[-1]) == (1, "would create 2; 0 as declared")
    code, out, err = run("apply", "schedules.json")
    assert (code, out.splitlines()) == (
        0, [f"+ {tag} bill", f"+ {tag} poll", "create 2; 0 as declared"],
    ), err  # fmt: skip
    assert row(run, f"{tag} bill")["owner"] == f"declarative:{tag}"

    before = audited(brain)
    assert run("apply", "schedules.json")[:2] == (0, "change nothing; 2 as declared\n")
    assert run("diff", "schedules.json")[:2] == (0, "would change nothing; 2 as declared\n")
    assert audited(brain) == before


def test_a_change_names_its_fields_and_what_is_gone_is_disabled(run, declare):
    tag = declare({"bill": BILL, "poll": {"task": "shop.poll", "interval": 30}})
    run("apply", "schedules.json")
    declare({"bill": {**BILL, "queue": "slow"}})

    code, out, _ = run("apply", "schedules.json")

    assert (code, out.splitlines()) == (0, [
        f"~ {tag} bill", '    queue: null → "slow"', f"- {tag} poll (disable)",
        "change 1, disable 1; 0 as declared",
    ])  # fmt: skip
    assert row(run, f"{tag} poll")["enabled"] is False
    assert run("diff", "schedules.json")[0] == 0


def test_what_was_edited_elsewhere_is_kept_shown_and_overwritten_only_when_told(run, declare):
    tag = declare({"bill": BILL})
    run("apply", "schedules.json")
    run("edit", f"{tag} bill", "queue=fast")

    code, out, _ = run("apply", "schedules.json")
    assert (code, f'! {tag} bill queue: edited to "fast", declared null' in out) == (0, True), out
    assert row(run, f"{tag} bill")["queue"] == "fast"
    assert "queue: declared null, now" in run("show", f"{tag} bill")[1]
    assert run("diff", "schedules.json")[0] == 1
    assert run("apply", "schedules.json", "--on-drift", "fail")[0] == 1
    assert run("apply", "schedules.json", "--on-drift", "overwrite")[0] == 0
    assert row(run, f"{tag} bill")["queue"] is None


def test_a_pause_survives_a_deploy(run, declare):
    tag = declare({"bill": BILL})
    run("apply", "schedules.json")
    run("pause", f"{tag} bill")
    declare({"bill": {**BILL, "queue": "slow"}})

    run("apply", "schedules.json")

    found = row(run, f"{tag} bill")
    assert (found["queue"], bool(found["paused"])) == ("slow", True)


def test_a_set_changes_no_schedule_of_another_owner(run, make, declare):
    name = make()
    declare({})

    assert run("apply", "schedules.json", "--prune", "delete")[0] == 0
    assert row(run, name)["enabled"] is True


def test_a_set_with_one_fault_changes_nothing(run, declare):
    tag = declare({"bill": BILL, "poll": {"task": "shop.poll"}})

    assert run("apply", "schedules.json")[0] == 2
    assert run("show", f"{tag} bill")[0] == 1


def test_of_many_warnings_the_first_are_told_and_the_rest_counted(run, declare):
    declare({f"n{each}": {"task": f"shop.n{each}", "interval": 60} for each in range(12)})

    code, _, err = run("diff", "schedules.json")

    lines = err.splitlines()
    assert (code, len(lines), lines[-1]) == (1, 11, "and 2 warnings more")
    assert lines[0].startswith("warning: no agent of this group has registered 'shop.n")


def test_whether_a_set_was_applied_is_not_claimed_when_nobody_answered(run, declare, monkeypatch):
    declare({"bill": BILL})
    monkeypatch.setenv("Z4J_URL", f"http://127.0.0.1:{free_port()}")

    code, _, err = run("apply", "schedules.json")

    assert (code, "see with diff whether it was applied" in err) == (3, True)
