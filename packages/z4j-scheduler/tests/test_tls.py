"""A scheduler behind TLS that wants a certificate: as typed, over both transports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from z4j_core.cli.remote import AWAY
from z4j_scheduler.cli.main import main
from z4j_testing.brain import FakeBrain
from z4j_testing.certificates import Authority
from z4j_testing.proxy import Proxy
from z4j_testing.signals import eventually

FILES = ("ca", "cert", "key")


class Town:
    """A brain behind a proxy that lets in who shows a certificate of the authority."""

    def __init__(self, home, port):
        self.authority = Authority(home)
        self.client = self.authority.issue("client")
        self.home = home
        context = self.authority.server(self.authority.issue("brain"), self.authority.pair.cert)
        self.front = Proxy(("127.0.0.1", port), context=context)

    def options(self, *names, **other):
        """The options of these files, or of others."""
        files = {"ca": self.authority.pair.cert, "cert": self.client.cert, "key": self.client.key}
        return [text for n in names for text in (f"--tls-{n}", str((files | other)[n]))]


@pytest.fixture(params=["websocket", "poll"])
def town(tmp_path, monkeypatch, request):
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    with FakeBrain() as brain:
        made = Town(tmp_path, brain.port)
        with made.front:
            where = brain.address._replace(scheme="https", port=made.front.port)
            monkeypatch.setenv("Z4J_DSN", where.reveal())
            monkeypatch.setenv("Z4J_TRANSPORT", request.param)
            monkeypatch.chdir(tmp_path)
            yield made


@pytest.fixture
def serving(town):
    """Start `serve` with options as people do; what it says goes into a file."""
    started = []

    def begin(*options):
        said = town.home / "said"
        with said.open("w") as out:
            command = [sys.executable, "-m", "z4j_scheduler", "serve", *options]
            started.append(subprocess.Popen(command, stderr=out))
        return lambda: said.read_text(encoding="utf-8")

    yield begin
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def test_serve_is_let_in_with_the_files_that_were_typed(town, serving):
    said = serving(*town.options(*FILES))

    eventually(lambda: "connected to demo@127.0.0.1" in said(), "a session", 30)


@pytest.mark.parametrize(("given", "code"), [(["ca"], "Z4J-E119"), (["cert", "key"], "Z4J-E107")])
def test_serve_says_why_it_is_not_let_in(town, serving, given, code):
    said = serving(*town.options(*given))

    eventually(lambda: code in said(), "the cause", 30)


def check(capsys, *options):
    """What check found, by name."""
    main(["check", "--json", *options])
    return {row["check"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_check_goes_to_the_handshake_with_the_files_that_were_typed(town, capsys):
    rows = check(capsys, *town.options(*FILES))

    assert (rows["network"]["verdict"], rows["handshake"]["verdict"]) == ("ok", "ok")


@pytest.mark.parametrize(
    ("given", "where", "code"),
    [
        (["ca"], "handshake", "Z4J-E119"),
        (["cert", "key"], "network", "Z4J-E107"),
    ],
)
def test_check_names_what_is_missing(town, capsys, given, where, code):
    rows = check(capsys, *town.options(*given))

    assert (rows[where]["verdict"], rows[where]["code"]) == ("fail", code)


def test_check_names_the_key_of_another_certificate(town, capsys):
    other = town.authority.issue("other").key

    rows = check(capsys, *town.options(*FILES, key=other))

    assert (rows["network"]["verdict"], rows["network"]["code"]) == ("fail", "Z4J-E118")


def test_what_is_typed_beats_the_environment(town, capsys, monkeypatch):
    monkeypatch.setenv("Z4J_CA_FILE", "/nowhere")

    rows = check(capsys, *town.options(*FILES))

    assert rows["network"]["verdict"] == "ok"


class Groups(BaseHTTPRequestHandler):
    """Answers as a brain does that has no groups."""

    def do_GET(self):
        """No groups."""
        body = b'{"items": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing is printed."""


@pytest.fixture
def rest(tmp_path, monkeypatch):
    """What answers requests behind the same TLS; its files."""
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    with ThreadingHTTPServer(("127.0.0.1", 0), Groups) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = Town(tmp_path, server.server_address[1])
        with made.front:
            monkeypatch.setenv("Z4J_URL", f"https://127.0.0.1:{made.front.port}")
            monkeypatch.setenv("Z4J_TOKEN", "a token")
            yield made
        server.shutdown()


def test_status_asks_with_the_files_that_were_typed(rest, capsys):
    assert main(["status", *rest.options(*FILES)]) == 0

    assert "no groups" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["status"], ["move-group", "celery/shop"]])
def test_whoever_shows_no_certificate_is_told_that_one_is_wanted(rest, capsys, command):
    assert main([*command, *rest.options("ca")]) == AWAY

    assert "Z4J-E119" in capsys.readouterr().err
