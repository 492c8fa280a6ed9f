"""The scheduler that `z4j serve` brings along: when it can be, and how it is told where to go."""

from __future__ import annotations

import dataclasses

import pytest
from z4j_brain.cli import embedded, serve
from z4j_brain.settings import from_environ
from z4j_core.errors import ConfigError

SECRET = {"Z4J_SECRET": "s" * 32}


def settings(**values):
    return dataclasses.replace(from_environ(SECRET), **values)


def test_without_the_package_it_is_said_how_to_install_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    code = serve.main(["--data-dir", str(tmp_path), "--port", "0", "--scheduler", "--check"])

    assert code == 2
    assert "Z4J-E607" in (said := capsys.readouterr().err)
    assert "pip install 'z4j[scheduler]'" in said


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:1"), ("0.0.0.0", "http://127.0.0.1:1"),
     ("::", "http://[::1]:1"), ("::1", "http://[::1]:1"), ("localhost", "http://localhost:1")],
)  # fmt: skip
def test_it_comes_over_loopback_wherever_the_server_listens(host, url):
    where = settings(host=host)
    embedded.check(where)

    assert embedded.local_url(where, 1) == url


def test_a_server_that_loopback_does_not_reach_cannot_have_one():
    with pytest.raises(ConfigError, match="loopback"):
        embedded.check(settings(host="192.0.2.7"))


def test_where_only_some_urls_are_allowed_its_own_is_one_of_them():
    url = "http://127.0.0.1:1"

    assert embedded.let_in(settings(), url) == ()
    assert embedded.let_in(settings(public_url="https://z4j.example"), url) == (url,)
    assert embedded.let_in(settings(agent_urls=("wss://a",)), url) == ("wss://a", url)


@pytest.mark.parametrize(("text", "means"), [("true", True), ("0", False), ("", False)])
def test_a_setting_asks_for_it_too(text, means):
    found = from_environ(SECRET | {"Z4J_EMBEDDED_SCHEDULER": text})

    assert found.embedded_scheduler is means


def test_a_setting_that_is_neither_true_nor_false_is_refused():
    with pytest.raises(ConfigError, match="Z4J_EMBEDDED_SCHEDULER"):
        from_environ(SECRET | {"Z4J_EMBEDDED_SCHEDULER": "perhaps"})


def test_a_child_hears_nothing_that_was_said_to_the_brain():
    own = {"PATH": "/bin", "Z4J_SECRET": "s" * 32, "Z4J_DATABASE_URL": "postgresql://x"}

    assert embedded._environment(own, "dsn") == {"PATH": "/bin", "Z4J_DSN": "dsn"}
