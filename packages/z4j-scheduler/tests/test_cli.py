"""What people type, and what it ends with."""

from __future__ import annotations

import json
import sqlite3

import pytest
from z4j_scheduler.cli.main import main

DSN = (
    "http://z4k_aaaqeayeaudaocajbifqydiob4awxrag:"
    "z4s_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp2luma@127.0.0.1:9/shop"
)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    """Nothing of this machine is read."""
    for name in ("Z4J_DSN", "Z4J_DSN_FILE", "Z4J_URL", "Z4J_TOKEN", "Z4J_LEASE_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_the_ddl_makes_a_store(capsys):
    assert main(["ddl", "sqlite"]) == 0
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(capsys.readouterr().out)
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}

    assert {"z4j_lease", "z4j_cursor", "z4j_open", "z4j_snapshot"} <= names


def test_the_ddl_for_postgresql_is_one_object_per_line_for_machines(capsys):
    assert main(["ddl", "--json"]) == 0

    lines = [json.loads(line)["statement"] for line in capsys.readouterr().out.splitlines()]
    assert any("bytea" in line for line in lines)


@pytest.mark.parametrize("command", ["serve", "status", "move-group celery/x"])
def test_without_a_dsn_or_a_brain_it_ends_with_2_and_says_what_to_set(command, capsys):
    assert main(command.split()) == 2
    assert "Z4J_" in capsys.readouterr().err


@pytest.mark.parametrize("group", ["celery", "celery/", "/app"])
def test_what_is_no_group_is_said_to_be_none(monkeypatch, group, capsys):
    monkeypatch.setenv("Z4J_DSN", DSN)

    assert main(["serve", "--group", group]) == 2
    assert "ENGINE/APP" in capsys.readouterr().err


def test_check_without_a_dsn_ends_with_2(capsys):
    assert main(["check"]) == 2
    assert "no DSN" in capsys.readouterr().out


def test_check_ends_with_3_where_the_brain_cannot_be_reached(monkeypatch, capsys):
    monkeypatch.setenv("Z4J_DSN", DSN)

    assert main(["check", "--json"]) == 3
    rows = {row["check"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["network"]["code"] == "Z4J-E106"
    assert rows["zones"]["verdict"] == "ok"


def test_an_unknown_command_ends_with_2():
    with pytest.raises(SystemExit) as ended:
        main(["lead"])

    assert ended.value.code == 2
