"""Commands and a brain behind a proxy that lets in who shows a certificate it trusts."""

from __future__ import annotations

import io
import json
import os
import ssl

import pytest
from served import PROJECT, served
from z4j_brain.cli import login, tasks, top
from z4j_core.cli.schedules.main import main as schedules
from z4j_testing.certificates import Authority
from z4j_testing.proxy import Proxy

pytestmark = pytest.mark.live
FILES = ("ca", "cert", "key")
NAMES = {"ca": "Z4J_CA_FILE", "cert": "Z4J_TLS_CERT", "key": "Z4J_TLS_KEY"}
COMMANDS = pytest.mark.parametrize(
    ("main", "arguments"),
    [(tasks.main, ["list"]), (schedules, ["groups"]), (top.main, ["--once"])],
    ids=["tasks", "schedules", "top"],
)
AWAY, USAGE = 3, 2


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    with served(tmp_path_factory.mktemp("tls")) as running:
        yield running


class Town:
    """The way to a brain, and the files that lead through."""

    def __init__(self, home, brain, newest):
        self.authority = Authority(home)
        client = self.authority.issue("client")
        context = self.authority.server(self.authority.issue("brain"), self.authority.pair.cert)
        context.maximum_version = newest
        self.files = {"ca": self.authority.pair.cert, "cert": client.cert, "key": client.key}
        self.front = Proxy(("127.0.0.1", brain.port), context=context)

    def typed(self, *names, **other):
        return [text for n in names for text in (f"--tls-{n}", str((self.files | other)[n]))]


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def town(brain, tmp_path, monkeypatch, request):
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = Town(tmp_path, brain, request.param)
    with made.front:
        monkeypatch.setenv("Z4J_URL", f"https://127.0.0.1:{made.front.port}")
        token = json.loads((brain.home / "told.json").read_text())["token"]
        monkeypatch.setenv("Z4J_TOKEN", token)
        yield made


def run(main, arguments, *typed):
    return main([*arguments, "--project", PROJECT, *typed])


@COMMANDS
def test_a_command_is_let_in_with_the_files_that_were_typed(town, main, arguments):
    assert run(main, arguments, *town.typed(*FILES)) == 0


@COMMANDS
def test_a_command_is_let_in_with_the_files_that_are_set(town, main, arguments, monkeypatch):
    for name in FILES:
        monkeypatch.setenv(NAMES[name], str(town.files[name]))

    assert run(main, arguments) == 0


@COMMANDS
def test_without_a_certificate_it_says_that_one_is_wanted(town, main, arguments, capsys):
    assert run(main, arguments, *town.typed("ca")) == AWAY

    assert "Z4J-E119" in capsys.readouterr().err


def test_what_was_typed_beats_what_is_set(town, monkeypatch):
    monkeypatch.setenv("Z4J_CA_FILE", "/nowhere")

    assert run(tasks.main, ["list"], *town.typed(*FILES)) == 0


def test_a_certificate_of_another_authority_is_said_to_be_refused(town, tmp_path, capsys):
    (tmp_path / "other").mkdir()
    bad = Authority(tmp_path / "other", "other").issue("bad")

    assert run(tasks.main, ["list"], *town.typed(*FILES, cert=bad.cert, key=bad.key)) == AWAY

    said = capsys.readouterr().err
    assert "Z4J-E119" in said
    assert "refuses the client certificate" in said


def test_a_brain_of_an_authority_nobody_named_is_said_to_be(town, capsys):
    assert run(tasks.main, ["list"], *town.typed("cert", "key")) == AWAY

    assert "Z4J-E107 certificate of 127.0.0.1" in capsys.readouterr().err


def test_the_key_of_another_certificate_is_named(town, capsys):
    other = town.authority.issue("other").key

    assert run(tasks.main, ["list"], *town.typed(*FILES, key=other)) == USAGE

    assert "Z4J-E118" in capsys.readouterr().err


def test_a_file_that_is_missing_is_named_with_its_setting(town, capsys):
    assert run(tasks.main, ["list"], *town.typed(*FILES, cert="/nowhere.pem")) == USAGE

    assert "Z4J-E117 Z4J_TLS_CERT: cannot read /nowhere.pem" in capsys.readouterr().err


def test_a_key_without_its_certificate_is_said_to_be_one(town, capsys):
    assert run(tasks.main, ["list"], *town.typed("ca", "key")) == USAGE

    assert "Z4J-E014" in capsys.readouterr().err


def test_login_asks_for_its_token_the_same_way(town, monkeypatch, capsys):
    url = os.environ["Z4J_URL"]
    monkeypatch.setattr("sys.stdin", io.StringIO("a password"))

    said = login.main([url, "--email", "nobody@example.org", "--password-stdin", *town.typed("ca")])

    assert said == AWAY
    assert "Z4J-E119" in capsys.readouterr().err
