"""`z4j dev -- CMD` as a process: the first minute of somebody without an account."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest
from z4j_testing.demo.processes import bound, free_port
from z4j_testing.signals import eventually

COMMAND = "import sys; from z4j_brain.cli.develop import main; sys.exit(main(sys.argv[1:]))"
STAY = "import sys; print('up', flush=True); sys.stdin.read()"
pytestmark = pytest.mark.live


class Dev:
    """`z4j dev` in a directory; ended and waited for on exit."""

    def __init__(self, where, *program):
        own = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
        options = ["--port", str(free_port()), *(["--", *program] if program else [])]
        self.child = subprocess.Popen(
            bound([sys.executable, "-c", COMMAND, *options], signal.SIGTERM),
            cwd=where, env=own, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.link = urlsplit(self.child.stdout.readline().strip())
        self.url = f"{self.link.scheme}://{self.link.netloc}"

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        if self.child.poll() is None:
            self.child.terminate()
        self.rest = self.child.communicate(timeout=30)

    def ends(self):
        return self.child.wait(30)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_exit_code_is_that_of_the_program_and_nothing_is_left(tmp_path):
    with Dev(tmp_path, sys.executable, "-c", "raise SystemExit(7)") as dev:
        assert dev.ends() == 7

    assert not listens(dev.link.port)
    assert not (tmp_path / ".z4j" / "dev.json").exists()
    assert "Traceback" not in dev.rest[1]


def test_the_program_finds_its_brain_and_may_be_asked_for_everything(tmp_path):
    told = (
        "import json; from z4j_core.agent import current; found = current();"
        "print(json.dumps([found.settings.dsn.port, found.settings.allow]))"
    )
    with Dev(tmp_path, sys.executable, "-c", told) as dev:
        assert dev.ends() == 0

    assert json.loads(dev.rest[0]) == [dev.link.port, "all"]


def test_h40_who_is_on_this_machine_has_no_session_without_the_token(tmp_path):
    with Dev(tmp_path, sys.executable, "-c", STAY) as dev:
        tasks = f"{dev.url}/api/v1/projects/dev/tasks"
        stranger = httpx.get(tasks)
        guess = httpx.post(
            f"{dev.url}/api/v1/auth/link", json={"token": "x" * 43}, headers={"X-Z4J": "1"}
        )
        entered = httpx.post(
            f"{dev.url}/api/v1/auth/link", json={"token": dev.link.fragment},
            headers={"X-Z4J": "1"},
        )  # fmt: skip
        owner = httpx.get(tasks, cookies={"z4j_dev": entered.cookies["z4j_dev"]})

    assert (stranger.status_code, guess.status_code) == (401, 401)
    assert owner.json()["items"] == []


def test_h40_no_file_of_it_can_be_read_by_others_or_goes_into_git(tmp_path):
    old = os.umask(0)
    try:
        with Dev(tmp_path, sys.executable, "-c", STAY):
            home = tmp_path / ".z4j"
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in home.iterdir()}
            folder = stat.S_IMODE(home.stat().st_mode)
            ignored = (home / ".gitignore").read_text(encoding="utf-8")
    finally:
        os.umask(old)

    assert (folder, ignored) == (0o700, "*\n")
    assert {"dev.json", "secret.key", "z4j.db"} <= set(modes)
    assert {modes[name] for name in ("dev.json", "secret.key", "z4j.db")} == {0o600}


def test_sigterm_ends_the_program_then_the_brain(tmp_path):
    with Dev(tmp_path, sys.executable, "-c", STAY) as dev:
        assert dev.child.stdout.readline() == "up\n"

        dev.child.send_signal(signal.SIGTERM)

        assert dev.ends() == 128 + signal.SIGTERM
    assert not listens(dev.link.port)


def test_the_brain_ends_also_when_the_command_is_killed(tmp_path):
    with Dev(tmp_path) as dev:
        assert listens(dev.link.port)

        dev.child.kill()

        eventually(lambda: not listens(dev.link.port), "the port to be free")


def test_a_second_one_in_the_same_directory_names_the_way(tmp_path):
    with Dev(tmp_path), Dev(tmp_path, "true") as second:
        assert second.ends() == 2

    assert "z4j run -- " in second.rest[1]
