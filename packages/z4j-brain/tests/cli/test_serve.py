"""`z4j serve` as a process: what a person who just installed it sees."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest
from z4j_brain.cli import keys, serve, setup_link
from z4j_brain.cli.secret import root_secret

COMMAND = "import sys; from z4j_brain.cli.serve import main; sys.exit(main(sys.argv[1:]))"


def environment(**more):
    own = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    return own | more


class Process:
    """A server in its own process; ended and waited for on exit."""

    def __init__(self, *arguments):
        self.child = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "--port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        self.line = self.child.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.end()

    def end(self, number=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(number)
        self.rest = self.child.communicate(timeout=20)
        return self.child.returncode


def post(url, path, body):
    return httpx.post(f"{url}{path}", json=body, headers={"X-Z4J": "1"})


@pytest.mark.live
def test_one_command_gives_a_link_that_makes_the_first_account(tmp_path):
    with Process("--data-dir", str(tmp_path / "data")) as server:
        link = urlsplit(server.line)
        base = f"{link.scheme}://{link.netloc}"
        page = httpx.get(f"{base}{link.path}")
        body = {"token": link.fragment, "email": "a@b.test", "password": "correct horse battery"}
        made = post(base, "/api/v1/auth/setup", body)
        listed = httpx.get(
            f"{base}/api/v1/projects/main/tasks", cookies={"z4j_dev": made.cookies["z4j_dev"]}
        )
        code = server.end()

    assert (link.path, page.status_code, made.json()) == ("/setup", 200, {"slug": "main"})
    assert listed.json()["items"] == []
    assert code == 0
    assert server.rest == ("", "")
    mode = stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode)
    assert mode == 0o600


@pytest.mark.live
def test_a_development_server_hands_out_link_dsn_and_token_as_one_json_line(tmp_path):
    options = ("--data-dir", str(tmp_path), "--dev-project", "demo", "--print-json")
    with Process(*options) as server:
        found = json.loads(server.line)
        token = urlsplit(found["login_url"]).fragment
        entered = post(found["url"], "/api/v1/auth/link", {"token": token})
        again = post(found["url"], "/api/v1/auth/link", {"token": token})
        assert server.end(signal.SIGINT) == 0

    dsn = urlsplit(found["dsn"])
    assert set(found) == {"url", "login_url", "dsn", "token"}
    assert (entered.status_code, again.status_code) == (204, 401)
    assert dsn.username.startswith("z4k_")
    assert dsn.password.startswith("z4s_")
    assert dsn.path == "/demo"


@pytest.mark.live
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--host", "0.0.0.0"), "Z4J-E606"),
        (("--host", "0.0.0.0", "--insecure-http", "--dev-project", "x"), "Z4J-E606"),
    ],
)
def test_h31_beyond_loopback_it_starts_only_when_told_how_it_is_protected(
    tmp_path, arguments, code
):
    with Process("--data-dir", str(tmp_path), *arguments) as server:
        ended = server.child.wait(20)

    assert (ended, server.line) == (2, "")
    assert code in server.rest[1]


@pytest.mark.live
def test_a_port_that_is_taken_is_said_in_one_line(tmp_path):
    with Process("--data-dir", str(tmp_path)) as first:
        port = str(urlsplit(first.line).port)
        with Process("--data-dir", str(tmp_path / "b"), "--port", port) as second:
            ended = second.child.wait(20)

    assert ended == 2
    assert second.rest[1].startswith(f"Z4J-E605 cannot listen on 127.0.0.1:{port}")
    assert "Traceback" not in second.rest[1]


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("postgresql://me:hidden@127.0.0.1:1/z4j", "Connection refused"),
        ("sqlite:////proc/none/z4j.db", "unable to open database file"),
        ("nonsense", "no URL of a database"),
    ],
)
def test_a_database_that_does_not_work_is_one_line_without_its_password(
    tmp_path, capsys, monkeypatch, url, cause
):
    monkeypatch.delenv("Z4J_DATABASE_URL", raising=False)

    code = serve.main(["--data-dir", str(tmp_path), "--database", url])

    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith("Z4J-E602 ")
    assert cause in said
    assert "hidden" not in said


def test_a_database_of_a_newer_brain_is_left_as_it_is(tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'z4j.db'}"
    with contextlib.closing(sqlite3.connect(tmp_path / "z4j.db")) as conn:
        conn.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        conn.execute("INSERT INTO alembic_version VALUES ('9999')")
        conn.commit()

    code = serve.main(["--data-dir", str(tmp_path), "--database", url])

    assert code == 2
    assert capsys.readouterr().err.startswith("Z4J-E601 ")
    with contextlib.closing(sqlite3.connect(tmp_path / "z4j.db")) as conn:
        tables = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert tables == [("alembic_version",)]


def test_the_root_secret_is_made_once_and_private_from_the_first_byte(tmp_path):
    old = os.umask(0)
    try:
        first = root_secret(tmp_path / "deep" / "data")
    finally:
        os.umask(old)

    path = tmp_path / "deep" / "data" / "secret.key"
    made = path.read_text("ascii")
    assert first == path == root_secret(tmp_path / "deep" / "data")
    assert path.read_text("ascii") == made
    assert [len(line) for line in made.splitlines()] == [64]
    assert [each.name for each in path.parent.iterdir()] == ["secret.key"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_setup_link_prints_a_link_until_there_is_an_owner(tmp_path, capsys, monkeypatch):
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    where = ["--data-dir", str(tmp_path)]

    first = setup_link.main([*where, "--url", "https://brain.test/"])
    link = capsys.readouterr().out
    unknown = keys.main([*where, "list"])

    assert (first, unknown) == (0, 1)
    assert link.startswith("https://brain.test/setup#")
    assert link.count("\n") == 1


@pytest.mark.live
def test_keys_are_made_listed_and_revoked_on_the_brains_machine(tmp_path, capsys, monkeypatch):
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    with Process("--data-dir", str(tmp_path), "--dev-project", "demo", "--print-json"):
        pass
    common = ["--data-dir", str(tmp_path), "--project", "demo", "--json"]

    assert keys.main(["create", *common, "--label", "web", "--url", "https://brain.test"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert keys.main(["create", *common, "--cred", made["cred_id"]]) == 0
    second = json.loads(capsys.readouterr().out)
    assert keys.main(["retire", *common, "--cred", made["cred_id"]]) == 1
    assert keys.main(["retire", *common, "--cred", made["cred_id"], "--kid", "1"]) == 0
    assert keys.main(["revoke", *common, "--cred", made["cred_id"], "--kid", "2"]) == 0
    assert keys.main(["create", *common, "--role", "scheduler"]) == 0
    capsys.readouterr()
    assert keys.main(["list", *common]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert keys.main(["revoke", *common, "--cred", "0" * 32]) == 1

    assert made["dsn"].startswith("https://z4k_")
    assert (made["kid"], second["kid"]) == (1, 2)
    assert [each["label"] for each in listed] == ["dev", "web", "web", ""]
    assert [each["role"] for each in listed] == ["agent"] * 3 + ["scheduler"]
    assert [each["sessions"] for each in listed] == [0] * 4
    assert [each["retired_at"] is not None for each in listed] == [False, True, False, False]
    assert [each["revoked_at"] is not None for each in listed] == [False, False, True, False]
    assert "z4s_" not in json.dumps(listed)
