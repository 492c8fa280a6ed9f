"""`z4j login` and `z4j tasks` against a served brain with an agent that has tasks to show."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import sqlite3
import stat
import sys

import httpx
import pytest
from desk import Desk, agent
from served import PROJECT, listening, served
from z4j_brain.app import close_brain, open_brain
from z4j_brain.cli import login, tasks
from z4j_brain.cli.options import parser, settings_of
from z4j_core import EventKind, Native, TaskEvent
from z4j_testing.demo.processes import free_port
from z4j_testing.signals import eventually

pytestmark = pytest.mark.live
HOSTILE = "\x1b[2Jgone\u202e"


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    home = tmp_path_factory.mktemp("tasks")
    with served(home) as running:
        handle = agent(home, running.dsn)
        engine = handle.attach(Desk())
        for number in range(3):
            native = lambda: Native("shop.charge", b"{}")  # noqa: E731
            engine.emit(TaskEvent(
                EventKind.FAILED, f"order-{number}", 1, "shop.charge", "pay", "w1",
                args=(911, HOSTILE), error=ValueError(f"declined {HOSTILE}"), native=native,
                runtime_s=0.184,
            ))  # fmt: skip
        engine.emit(TaskEvent(EventKind.ENQUEUED, "mail-waits", 0, "shop.mail", "mail"))
        assert handle.flush(10)
        yield running
        handle.close()


@pytest.fixture
def run(brain, tmp_path, monkeypatch, capsys):
    """Run `z4j tasks …` with a token of the development project; (exit status, out, err)."""
    token = json.loads((brain.home / "told.json").read_text())["token"]
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("Z4J_URL", brain.url)
    monkeypatch.setenv("Z4J_TOKEN", token)

    def command(*arguments, main=tasks.main, project=PROJECT):
        capsys.readouterr()
        more = ("--project", project) if project and main is tasks.main else ()
        code = main([*arguments, *more])
        return code, *capsys.readouterr()

    return command


def test_the_list_has_the_grammar_of_the_dashboard_and_spells_out_what_would_move_a_cursor(run):
    code, out, _ = run("list", "-q", "state:failed task:shop.* error:declined")

    rows = out.splitlines()
    assert (code, len(rows)) == (0, 3)
    assert all("failed" in row and "184 ms" in row for row in rows)
    assert r"ValueError: declined \u001b[2Jgone\u202e" in rows[0]
    assert "\x1b" not in out


def test_with_json_a_row_is_an_object_on_a_line(run):
    _, out, _ = run("-q", "queue:mail", "--json")

    (row,) = [json.loads(line) for line in out.splitlines()]
    assert (row["id"], row["task"], row["state"]) == ("mail-waits", "shop.mail", "queued")


def test_a_limit_is_kept_and_pages_are_joined(run):
    assert len(run("list", "--limit", "2")[1].splitlines()) == 2
    assert len(run("list", "--limit", "500")[1].splitlines()) >= 4


def test_an_error_in_the_query_names_its_column(run):
    code, _, err = run("-q", "queu:mail")

    assert code == 2
    assert "column 1" in err
    assert "query.unknown_key" in err


@pytest.mark.parametrize("begin", ["order-1", "orde"])
def test_show_takes_an_id_or_its_beginning_when_it_is_one_task(run, begin):
    code, out, err = run("show", begin)

    if begin == "orde":
        assert (code, "more than one task begins with 'orde'" in err) == (1, True)
    else:
        assert "ValueError: declined" in out
        assert "\x1b" not in out


def test_show_of_nothing_is_said(run):
    assert run("show", "nope-nope")[0] == 1
    assert run("show", "abc")[0] == 2


def test_a_retry_is_previewed_done_and_linked(run):
    eventually(
        lambda: "1 will retry" in run("retry", "order-0")[1], "the message of order-0 to be kept"
    )
    code, out, _ = run("retry", "order-0", "--yes", "--reason", "fixed")

    assert code == 0
    assert "1 match · 1 will retry" in out
    assert "1 done · bulk" in out
    assert run("show", "again-order-0")[0] == 0


def test_of_several_what_is_skipped_is_told_and_the_status_says_not_all(run):
    code, out, _ = run("retry", "-q", "id:order-1 OR id:mail-waits", "--yes", "--json")

    bulk = json.loads(out)
    assert code == 1
    assert (bulk["counts"]["done"], bulk["counts"]["skipped"]) == (1, 1)


def test_a_cancel_takes_a_waiting_task_back(run):
    code, out, _ = run("cancel", "mail-waits", "--yes")

    assert code == 0, out
    assert "1 will cancel" in out


def test_without_a_terminal_nothing_is_sent_unless_told(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    code, _, err = run("retry", "order-2")

    assert (code, "give --yes" in err) == (2, True)


def test_on_a_terminal_it_asks_and_no_is_no(run, monkeypatch):
    ours, theirs = pty.openpty()
    os.write(ours, b"n\n")
    with contextlib.closing(os.fdopen(theirs)) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        code, out, _ = run("retry", "order-2")
    os.close(ours)

    assert (code, "nothing was sent" in out) == (1, True)


@pytest.mark.parametrize("given", [["retry"], ["retry", "order-1", "-q", "state:failed"]])
def test_tasks_or_a_query_and_not_both(run, given):
    assert run(*given)[0] == 2


def test_a_wrong_token_is_refused_and_a_brain_that_is_away_is_told(run, monkeypatch):
    monkeypatch.setenv("Z4J_TOKEN", "z4jt_wrong")
    refused = run("list")
    monkeypatch.setenv("Z4J_URL", f"http://127.0.0.1:{free_port()}")
    away = run("list")

    assert (refused[0], "auth.required" in refused[2]) == (4, True)
    assert (away[0], "Z4J-E106" in away[2]) == (3, True)


def test_a_token_is_not_sent_in_the_clear_nor_after_a_redirect(run, monkeypatch):
    heard = []

    def elsewhere(peer):
        heard.append(peer.recv(4096))
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with listening(elsewhere) as target:
        there = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{target}/\r\n\r\n".encode()

        def away(peer):
            peer.recv(4096)
            peer.sendall(there)

        with listening(away) as port:
            monkeypatch.setenv("Z4J_URL", f"http://127.0.0.1:{port}")
            redirected = run("list")
    monkeypatch.setenv("Z4J_URL", "http://brain.example.com")
    clear = run("list")

    assert (redirected[0], heard) == (3, [])
    assert (clear[0], "Z4J-E104" in clear[2]) == (2, True)


def test_without_a_login_it_says_what_to_do(run, monkeypatch):
    monkeypatch.delenv("Z4J_TOKEN")

    code, _, err = run("list")

    assert (code, "z4j login" in err) == (2, True)


def test_below_z4j_dev_no_login_is_needed(run, brain, tmp_path, monkeypatch):
    told = json.loads((brain.home / "told.json").read_text())
    (tmp_path / ".z4j").mkdir()
    path = tmp_path / ".z4j/dev.json"
    path.write_text(json.dumps({"url": told["url"], "token": told["token"], "project": PROJECT}))
    path.chmod(0o600)
    monkeypatch.delenv("Z4J_TOKEN")

    assert run("list", project=None)[0] == 0
    path.chmod(0o644)
    assert run("list", project=None)[0] == 2


def test_login_keeps_a_token_of_its_own_and_no_password_and_out_ends_it(
    run, brain, tmp_path, monkeypatch
):
    secret = "correct horse battery"
    with_password(brain, secret)
    monkeypatch.delenv("Z4J_TOKEN")
    monkeypatch.setattr(sys, "stdin", io.StringIO(secret + "\n"))

    code, out, err = run(brain.url, "--email", "dev@localhost", "--password-stdin", main=login.main)
    path = tmp_path / "config/z4j/login.json"
    kept = path.read_text()

    assert code == 0, err
    assert f"project {PROJECT}" in out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in kept
    assert run("list", project=None)[0] == 0

    assert run("--out", main=login.main)[0] == 0
    assert not path.exists()
    token = json.loads(kept)["token"]
    url = f"{brain.url}/api/v1/projects/{PROJECT}/tasks"
    assert httpx.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_wrong_password_is_refused_and_nothing_is_kept(run, brain, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("not it at all\n"))

    code, _, err = run(brain.url, "--email", "no@body.test", "--password-stdin", main=login.main)

    assert (code, "auth.wrong" in err) == (4, True)
    assert not (tmp_path / "config").exists()


def with_password(brain, password):
    """Give the development account a password, as a form would."""
    options = parser("test", "").parse_args(["--data-dir", str(brain.home)])
    opened = open_brain(settings_of(options))
    stored = opened.passwords.hash_now(password)
    close_brain(opened)
    with contextlib.closing(sqlite3.connect(brain.home / "z4j.db")) as conn:
        conn.execute("UPDATE users SET password = ?", (stored,))
        conn.commit()
