"""Settings said by several, one after the other: nothing is forgotten, the first word holds."""

from __future__ import annotations

import logging

import pytest
from z4j_core.agent.boot import autostart, current, start


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path, brain):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("Z4J_ENGINES", "none")
    monkeypatch.setenv("Z4J_SPOOL_DIR", str(tmp_path / "spool"))
    monkeypatch.setenv("Z4J_DSN", brain.dsn)
    yield
    if current():
        current().close()


def test_a_framework_restricts_what_a_command_line_started():
    handle = autostart()

    start(framework={"ALLOW": "observe"})

    assert current() is handle
    assert handle.settings.allow == "observe"
    assert handle.process.settings.allow == "observe"


def test_what_was_said_first_holds_and_is_added_to():
    start({"release": "1"})
    start({"release": "2", "environment": "live"}, {"ALLOW": "observe", "RELEASE": "3"})

    settings = current().settings
    assert (settings.release, settings.environment, settings.allow) == ("1", "live", "observe")


def test_a_second_call_without_words_changes_nothing():
    process = start({"release": "1"}).process

    assert start().process is process


def test_what_comes_after_the_first_fact_is_told(caplog):
    handle = start()
    handle.process.begin()

    with caplog.at_level(logging.WARNING, "z4j"):
        start(framework={"ALLOW": "observe"})

    assert "Z4J-E015 allow: said after" in caplog.text
    assert handle.settings.allow == "run"
