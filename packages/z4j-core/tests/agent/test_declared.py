"""Schedules declared in an app's code: told when wrong, and never in the way of the app."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest
from z4j_core.agent.boot import current, start
from z4j_core.agent.deployed import report
from z4j_core.config import load
from z4j_core.errors import ConfigError

RIGHT = {"task": "shop.bill", "cron": "0 2 * * *", "kwargs": {"dry": False}}
WRONG = {"task": "shop.poll", "intervall": 30}
BOTH = {"nightly": RIGHT, "poll": WRONG}


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path, brain):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("Z4J_ENGINES", "none")
    monkeypatch.setenv("Z4J_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("Z4J_DSN", brain.dsn)
    yield
    if current():
        current().close()


@pytest.mark.parametrize("say", [lambda: start({"schedules": BOTH}),
                                 lambda: start(framework={"SCHEDULES": BOTH})])  # fmt: skip
def test_a_wrong_schedule_is_told_with_its_place_and_the_app_goes_on(say, caplog):
    with caplog.at_level(logging.WARNING, "z4j"):
        handle = say()

    assert "Z4J-E130 SCHEDULES/schedules/poll/intervall: no such field" in caplog.text
    assert "did you mean interval?" in caplog.text
    assert handle.is_active
    assert any("Z4J-E130" in fault for fault in handle.status()["faults"])


def test_who_asks_for_errors_gets_one():
    with pytest.raises(ConfigError, match="Z4J-E130"):
        start({"schedules": BOTH, "strict": True})


def test_the_right_ones_are_registered_and_the_wrong_one_is_not():
    handle = start({"schedules": BOTH})

    registered = handle.process.registered
    assert ("shop.bill", [], {"dry": False}) in registered
    assert ("shop.bill", [], {"dry": True}) not in registered
    assert ("shop.poll", [], {}) not in registered


def test_an_app_that_declares_none_does_not_load_the_reader_of_the_format():
    code = (
        "import sys; from z4j_core.agent.boot import start; start();"
        "print([name for name in sys.modules if name == 'z4j_core.scheduler.declare'])"
    )

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert out.stdout.strip() == "[]"


def told(schedules, **settings):
    """What the brain is told of a set."""
    return report(load({"schedules": schedules, **settings}, environ={}).settings)


def test_a_set_is_told_under_its_tag_and_equal_ones_have_equal_hashes():
    whole = {"tag": "shop", "defaults": {"tz": "UTC"}, "schedules": {"nightly": RIGHT}}
    one, other = told(whole), told({"nightly": {**RIGHT, "tz": "UTC"}}, app="shop")

    assert (one.kind, *one.source) == (5, "", "shop")
    assert one.hash == other.hash
    assert one.hash != told({"nightly": {**RIGHT, "cron": "0 3 * * *"}}, app="shop").hash
    ((name, text),) = one.rows
    assert (name, json.loads(text)["task"]) == ("nightly", "shop.bill")


@pytest.mark.parametrize("schedules", [BOTH, {"nightly": RIGHT}, None])
def test_a_set_with_a_fault_or_without_a_tag_is_not_told(schedules):
    app = "shop" if schedules is BOTH else None

    assert told(schedules, app=app) is None


def test_the_hash_goes_with_every_beat(brain):
    start({"schedules": {"tag": "shop", "schedules": {"nightly": RIGHT}}, "scheduler": "only"})

    brain.wait_for(lambda: brain.store.beats, 30)

    (entry,) = [each for each in brain.store.beats[-1].inventory if each.kind == 5]
    assert (entry.engine, entry.app, len(entry.hash)) == ("", "shop", 8)
