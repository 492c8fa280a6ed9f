"""Keys are rotated under real agents: both live at once, then the old one is told to go."""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3

import pytest
from desk import Desk, agent
from served import PROJECT, served
from z4j_brain.cli import keys
from z4j_core import EventKind, TaskEvent
from z4j_testing.signals import eventually

pytestmark = pytest.mark.live
P = f"/api/v1/projects/{PROJECT}"


@pytest.fixture
def brain(tmp_path):
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def session(brain):
    client = brain.session()
    yield client
    client.close()


@pytest.fixture
def command(brain, capsys, monkeypatch):
    """Work with keys on the brain's own machine; (exit status, objects, err)."""
    monkeypatch.delenv("Z4J_SECRET", raising=False)

    def run(*arguments):
        where = ["--data-dir", str(brain.home), "--project", PROJECT, "--url", brain.url]
        capsys.readouterr()
        code = keys.main([*arguments, *where, "--json"])
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


@contextlib.contextmanager
def reporting(home, dsn, app):
    """An agent with one engine, whose task it says waits."""
    handle, desk = agent(home, dsn, app), Desk(app)
    try:
        engine = handle.attach(desk)
        engine.emit(TaskEvent(EventKind.ENQUEUED, f"of-{app}", 0, "shop.mail", "mail"))
        assert handle.flush(20)
        yield desk
    finally:
        handle.close()


def cancel(session, app):
    """Cancel the one task of this agent and wait until that is over."""
    body = {"action": "cancel", "q": f"id:of-{app}", "range": "all"}
    shown = session.post(f"{P}/bulk/preview", json=body).json()
    bulk = session.post(f"{P}/bulk", json={"preview_id": shown["preview_id"], "hold_s": 0}).json()
    eventually(
        lambda: session.get(f"{P}/bulk/{bulk['id']}").json()["counts"].get("done") == 1,
        f"{app} to answer", 20.0,
    )  # fmt: skip


def tasks_of(brain):
    with contextlib.closing(sqlite3.connect(brain.home / "z4j.db")) as conn:
        return {row for (row,) in conn.execute("SELECT task_id FROM tasks")}


def test_old_and_new_dsn_live_at_once_deliver_facts_and_take_commands(brain, session):
    cred_id = session.get(f"{P}/keys").json()["items"][0]["cred_id"]
    made = session.post(f"{P}/keys/{cred_id}/rotate").json()

    with reporting(brain.home, brain.dsn, "old") as old, \
            reporting(brain.home, made["dsn"], "new") as new:  # fmt: skip
        listed = session.get(f"{P}/keys").json()["items"]
        cancel(session, "old")
        cancel(session, "new")

        assert [(key["kid"], key["sessions"]) for key in listed] == [(1, 1), (2, 1)]
        assert (old.cancelled, new.cancelled) == (["of-old"], ["of-new"])
    assert tasks_of(brain) == {"of-old", "of-new"}


def test_a_retired_keys_agent_is_closed_with_4403_and_reads_one_clear_line(brain, command, caplog):
    caplog.set_level(logging.INFO, "z4j")
    (old,) = command("list")[1]
    _, (made,), _ = command("create", "--cred", old["cred_id"])
    retire = ("retire", "--cred", old["cred_id"], "--kid", "1")

    with reporting(brain.home, brain.dsn, "old"), reporting(brain.home, made["dsn"], "new"):
        code, _, err = command(*retire)
        assert (code, "1 agent is connected by this key" in err) == (1, True)
        code, (done,), _ = command(*retire, "--force")
        assert (code, done["retire"], done["sessions"]) == (0, True, 1)

        eventually(lambda: refused_by(caplog), "the agent to say why", 20.0)
        rows = lambda: brain.rows("SELECT kid, reason FROM refused_attempts")  # noqa: E731
        eventually(lambda: (1, "retired key") in rows(), "the agent to try again", 40.0)
        (line,) = refused_by(caplog)

    assert line == "z4j: Z4J-E111 the key is retired or revoked"
    assert brain.rows("SELECT DISTINCT kid FROM refused_attempts") == [(1,)]
    assert [key["kid"] for key in command("list")[1] if key["retired_at"] is None] == [2]


def refused_by(caplog):
    """What agents said of keys."""
    said = [record.getMessage() for record in caplog.records]
    return [line for line in said if "Z4J-E11" in line]


def test_who_works_on_the_machine_is_named_in_the_audit(brain, command):
    (old,) = command("list")[1]
    command("create", "--cred", old["cred_id"])
    command("retire", "--cred", old["cred_id"], "--kid", "1")

    rows = brain.rows("SELECT action, actor, via, detail FROM audit_event ORDER BY pos DESC")[:2]
    assert [(action, via) for action, _, via, _ in rows] == [
        ("agent_key.retire", "cli"), ("agent_key.rotate", "cli"),
    ]  # fmt: skip
    assert all(actor.startswith("cli:") for _, actor, _, _ in rows)
    assert [json.loads(detail)["kid"] for *_, detail in rows] == [1, 2]
