"""`z4j schedules` where no brain is: expressions, files, and what is wrong with them."""

from __future__ import annotations

import json
import os
import sys
import textwrap

import pytest
from z4j_core.agent.boot import current, start
from z4j_core.cli.schedules import main

AFTER = "2027-03-12T00:00Z"
FILE = """
tag = "shop"
[defaults]
tz = "Europe/Paris"
[schedules.nightly]
task = "shop.bill"
cron = "0 2 * * *"
start_at = 2027-01-01T00:00:00Z
[schedules.poll]
task = "shop.poll"
interval = "PT30S"
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run `z4j schedules …` on a machine that knows no brain; (exit status, out, err)."""
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(sys, "path", list(sys.path))

    def command(*arguments):
        capsys.readouterr()
        return main(arguments), *capsys.readouterr()

    yield command
    if current():
        current().close()


def test_next_of_an_expression_tells_what_the_clocks_do(run):
    code, out, _ = run("next", "30 2 * * *", "--tz", "America/Chicago", "-n", "3", "--after", AFTER)

    assert code == 0
    assert [line.split("  ")[0] for line in out.splitlines()] == [
        "2027-03-12 02:30 America/Chicago",
        "2027-03-13 02:30 America/Chicago",
        "2027-03-14 03:00 America/Chicago",
    ]
    assert out.endswith("the clock skips its time, clocks go forward in Chicago\n")


def test_one_text_fires_at_other_times_in_another_dialect(run):
    days = [
        json.loads(run("next", "0 0 * * 1", "-n", "1", "--after", AFTER, "--json", *more)[1])
        for more in ((), ("--dialect", "apscheduler3"))
    ]

    assert [each["local"] for each in days] == ["2027-03-15T00:00:00", "2027-03-16T00:00:00"]


@pytest.mark.parametrize(
    ("what", "slot"),
    [
        ("@daily", "2027-03-13T00:00:00"),
        ("0 */2 * * * *", "2027-03-12T00:02:00"),
        ("DTSTART;TZID=Asia/Tokyo:20270101T090000\\nRRULE:FREQ=YEARLY", "2028-01-01T09:00:00"),
    ],
)
def test_next_takes_everything_that_is_a_timing_rule(run, what, slot):
    code, out, _ = run("next", what, "-n", "1", "--after", AFTER, "--json")

    assert (code, json.loads(out)["local"]) == (0, slot)


def test_a_length_of_time_counts_from_now(run):
    code, out, _ = run("next", "PT5M", "-n", "2", "--json")

    first, second = (json.loads(line)["slot_ms"] for line in out.splitlines())
    assert (code, second - first) == (0, 300_000)


def test_slots_in_seconds_are_shown_with_them(run):
    assert run("next", "15 0 0 * * *", "-n", "1", "--after", AFTER)[1].startswith(
        "2027-03-12 00:00:15 UTC"
    )


def test_explain_says_what_a_text_means_and_how_cron_writes_it(run):
    code, out, _ = run("explain", "0 0 * * 1", "--dialect", "apscheduler3", "--after", AFTER)

    assert code == 0
    assert out.startswith("At 00:00, Tuesday in UTC")
    assert "as cron: 0 0 * * 2\n  2027-03-16 00:00 UTC\n" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("next", "61 * * * *"), "61 is outside 0-59"),
        (("next", "0 0 30 2 *"), "never fires"),
        (("next", "0 0 * * *", "--tz", "Mars"), "no time zone 'Mars'"),
        (("next", "0 0 * * *", "--dialect", "klingon"), "klingon"),
        (("next", "0 0 * * *", "-n", "0"), "-n is 1 to"),
        (("next", "0 0 * * *", "--after", "monday"), "no time 'monday'"),
        (("explain", "0 0 * * 7", "--dialect", "celery"), "outside"),
    ],
)
def test_a_wrong_expression_is_usage_and_not_the_name_of_a_schedule(run, words, said):
    code, out, err = run(*words)

    assert (code, out, said in err) == (2, "", True), err
    assert "Traceback" not in err


@pytest.mark.parametrize("verb", [["next", "nightly"], ["list"], [], ["show", "nightly"],
                                  ["fire", "nightly"], ["groups"], ["calendars"]])  # fmt: skip
def test_what_needs_a_brain_says_how_to_name_one(run, verb):
    code, _, err = run(*verb)

    assert (code, "z4j login" in err) == (2, True)


def test_every_fault_of_a_file_is_told_before_a_brain_is_looked_for(run, tmp_path):
    (tmp_path / "a.json").write_text('{"a": {"task": "x", "crom": 1}, "b": {}, "c": {"task": 1}}')

    code, _, err = run("apply", "a.json", "--tag", "shop")

    assert code == 2
    assert "3 faults, nothing was sent" in err
    assert "\n  /schedules/a/crom: no such field; did you mean cron?" in err
    assert "\n  /schedules/b: no timing rule" in err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "a = ", "a.toml: "),
        ("a.json", "[", "a.json: "),
        ("a.json", "[]", "no schedules; write a mapping"),
        ("a.json", '{"a": {"task": "x", "interval": 5}}', "the set has no tag"),
        ("a.json", '{"tag": "b", "schedules": {}}', "the set says tag 'b', not 'c'"),
        ("a.conf", "", "ends in none of .toml"),
    ],
)
def test_a_file_that_cannot_be_applied_is_usage(run, tmp_path, name, text, said):
    (tmp_path / name).write_text(text)

    code, _, err = run("diff", name, *(("--tag", "c") if "not" in said else ()))

    assert (code, said in err) == (2, True), err


@pytest.mark.parametrize("where", ["gone.toml", "no_such_module:x", "json:nothing", ":x"])
def test_a_source_that_is_not_there_is_usage(run, where):
    code, _, err = run("diff", where)

    assert (code, "Traceback" in err) == (2, False)
    assert where.partition(":")[0] in err


def test_yaml_without_its_reader_says_what_to_install(run, tmp_path, monkeypatch):
    (tmp_path / "a.yaml").write_text("a: {}")
    monkeypatch.setitem(sys.modules, "yaml", None)

    code, _, err = run("diff", "a.yaml")

    assert (code, "pip install pyyaml" in err) == (2, True)


def body(run, *words):
    """What `apply` would send: it stops where it looks for a brain."""
    from z4j_core.cli.schedules.applying import body_of
    from z4j_core.cli.schedules.options import parser

    return body_of(parser().parse_args(["apply", *words]))


def test_toml_and_python_declare_the_same(run, tmp_path):
    (tmp_path / "schedules.toml").write_text(FILE)
    (tmp_path / "declaring_shop.py").write_text(
        textwrap.dedent("""
        from datetime import UTC, datetime, timedelta
        class Config:
            Z4J = {"RELEASE": "1", "SCHEDULES": {
                "tag": "shop", "defaults": {"tz": "Europe/Paris"},
                "schedules": {
                    "nightly": {"task": "shop.bill", "cron": "0 2 * * *",
                                "start_at": datetime(2027, 1, 1, tzinfo=UTC)},
                    "poll": {"task": "shop.poll", "interval": timedelta(seconds=30)},
                },
            }}
    """)
    )

    first = body(run, "schedules.toml", "--prune", "none")

    assert first == body(run, "declaring_shop:Config.Z4J", "--prune", "none")
    assert (first["tag"], first["prune"], first["on_drift"]) == ("shop", "none", "keep")
    assert first["schedules"]["nightly"]["specs"][0]["tz"] == "Europe/Paris"


def test_without_a_source_it_is_what_this_app_declares(run):
    assert "this app declares no schedules" in run("diff")[2]
    start({"schedules": {"poll": {"task": "shop.poll", "interval": 30}}, "app": "shop"})

    found = body(run)

    assert (found["tag"], set(found["schedules"])) == ("shop", {"poll"})
