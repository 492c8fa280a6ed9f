"""TLS in front of a brain, with certificates on both sides; what fails names its cause."""

from __future__ import annotations

import json
import ssl
from contextlib import closing

import pytest
from z4j_core import EventKind, TaskEvent
from z4j_core.agent.transport import Transport
from z4j_core.cli.doctor import main as doctor
from z4j_core.clock import SystemClock
from z4j_core.config import Settings, load
from z4j_core.errors import Away, ConfigError
from z4j_testing.certificates import Authority
from z4j_testing.proxy import Proxy

ANY_TLS = pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


class Town:
    """A brain behind a proxy that lets in who shows a certificate of the authority."""

    def __init__(self, home, brain, newest=ssl.TLSVersion.TLSv1_3):
        self.home, self.brain = home, brain
        self.authority = Authority(home)
        self.client = self.authority.issue("client")
        context = self.authority.server(self.authority.issue("brain"), self.authority.pair.cert)
        context.maximum_version = newest
        self.front = Proxy(("127.0.0.1", brain.port), context=context)

    @property
    def dsn(self):
        return self.brain.address._replace(scheme="https", port=self.front.port)

    def files(self, **other):
        """The settings that lead through, or others."""
        right = {
            "ca_file": self.authority.pair.cert,
            "tls_cert": self.client.cert,
            "tls_key": self.client.key,
        }
        return {name: str(path) for name, path in (right | other).items() if path is not None}

    def refused(self, transport, **other):
        """How a try ends: its code and its text."""
        way = Transport(Settings(transport=transport, **self.files(**other)), SystemClock())
        with pytest.raises((Away, ConfigError)) as ended, closing(way.dial(self.dsn)) as link:
            link.send(b"hello")
        return ended.value.code, str(ended.value)


@pytest.fixture
def newest():
    return ssl.TLSVersion.TLSv1_3


@pytest.fixture
def town(tmp_path, brain, newest):
    made = Town(tmp_path, brain, newest)
    with made.front:
        yield made


@ANY_TLS
def test_an_agent_with_a_certificate_is_let_in(town, start):
    _, engine = start(dsn=town.dsn.reveal(), **town.files())

    engine.emit(TaskEvent(EventKind.STARTED, "shop.pay", "1"))

    town.brain.wait_for(lambda: town.brain.store.tasks)
    assert town.front.carried.connections >= 1


def test_the_key_may_stand_in_the_file_of_the_certificate(town, start):
    both = town.home / "both.pem"
    both.write_bytes(town.client.cert.read_bytes() + town.client.key.read_bytes())

    start(dsn=town.dsn.reveal(), **town.files(tls_cert=both, tls_key=None))[1].emit(
        TaskEvent(EventKind.STARTED, "shop.pay", "1")
    )

    town.brain.wait_for(lambda: town.brain.store.tasks)


def test_a_certificate_that_comes_later_needs_no_restart(town, start):
    late = town.home / "late.crt"
    _, engine = start(dsn=town.dsn.reveal(), **town.files(tls_cert=late))
    engine.emit(TaskEvent(EventKind.STARTED, "shop.pay", "1"))
    assert not town.brain.store.tasks

    late.write_bytes(town.client.cert.read_bytes())

    town.brain.wait_for(lambda: town.brain.store.tasks)


@ANY_TLS
@pytest.mark.parametrize("_try", range(5))
def test_without_a_certificate_it_says_that_one_is_wanted(town, transport, _try):
    code, said = town.refused(transport, tls_cert=None, tls_key=None)

    assert code == "Z4J-E119"
    assert "wants a client certificate" in said
    assert "Z4J_TLS_CERT" in said


@ANY_TLS
@pytest.mark.parametrize("days", [30, -1], ids=["of another authority", "expired"])
def test_a_certificate_that_is_refused_is_said_to_be(town, transport, days):
    where = town.home / "other"
    where.mkdir()
    signer = Authority(where, "other") if days > 0 else town.authority
    bad = signer.issue("bad", days)

    code, said = town.refused(transport, tls_cert=bad.cert, tls_key=bad.key)

    assert code == "Z4J-E119"
    assert "refuses the client certificate" in said


def test_a_brain_of_an_authority_nobody_named_is_said_to_be(town, transport):
    code, said = town.refused(transport, ca_file=None)

    assert code == "Z4J-E107"
    assert said.startswith("certificate of 127.0.0.1: self-signed certificate")
    assert said.endswith("its authority in Z4J_CA_FILE?")


@pytest.mark.parametrize("setting", ["ca_file", "tls_cert", "tls_key"])
def test_a_file_that_is_missing_is_named_with_its_setting(town, transport, setting):
    code, said = town.refused(transport, **{setting: town.home / "nowhere.pem"})

    assert code == "Z4J-E117"
    assert f"Z4J_{setting.upper()}: cannot read {town.home}/nowhere.pem" in said
    assert "No such file or directory" in said


@pytest.mark.parametrize("setting", ["ca_file", "tls_cert", "tls_key"])
def test_a_file_that_cannot_be_read_is_named_with_its_setting(town, transport, setting):
    code, said = town.refused(transport, **{setting: town.home})

    assert code == "Z4J-E117"
    assert f"Z4J_{setting.upper()}: cannot read {town.home}: Is a directory" in said


@pytest.mark.parametrize(
    ("setting", "holds"),
    [("ca_file", "no certificate"), ("tls_cert", "no certificate"), ("tls_key", "no private key")],
)
def test_a_file_of_something_else_is_named_with_its_setting(town, transport, setting, holds):
    other = town.home / "other.pem"
    other.write_text("nothing of the kind", encoding="utf-8")

    code, said = town.refused(transport, **{setting: other})

    assert code == "Z4J-E117"
    assert f"Z4J_{setting.upper()}: {other} holds {holds} in PEM" in said


def test_a_key_with_a_passphrase_asks_nobody_for_it(town, transport):
    locked = town.authority.issue("locked", password=b"secret")

    code, said = town.refused(transport, tls_cert=locked.cert, tls_key=locked.key)

    assert code == "Z4J-E117"
    assert f"Z4J_TLS_KEY: the key in {locked.key} has a passphrase" in said


def test_the_key_of_another_certificate_is_said_to_be(town, transport):
    code, said = town.refused(transport, tls_key=town.authority.issue("other").key)

    assert code == "Z4J-E118"
    assert f"is not that of the certificate in {town.client.cert}" in said


def test_a_key_alone_is_a_fault_of_the_settings():
    loaded = load({"tls_key": "client.key"}, environ={})

    assert loaded.faults == (("Z4J-E014", "tls_key: a key without tls_cert, its certificate"),)


@pytest.fixture
def checked(town, transport, monkeypatch, capsys):
    """Run doctor; its checks by name."""

    def run(**other):
        monkeypatch.chdir(town.home)
        settings = town.files(**other) | {"spool_dir": str(town.home), "transport": transport}
        for name, value in (settings | {"dsn": town.dsn.reveal()}).items():
            monkeypatch.setenv(f"Z4J_{name.upper()}", value)
        doctor(["--json"])
        rows = map(json.loads, capsys.readouterr().out.splitlines())
        return {row["check"]: row for row in rows}

    return run


def test_doctor_goes_through_with_a_certificate(checked):
    rows = checked()

    assert {rows[name]["verdict"] for name in ("network", "handshake", "event", "command")} == {
        "ok"
    }


@ANY_TLS
def test_doctor_says_that_a_certificate_is_wanted(checked):
    rows = checked(tls_cert=None, tls_key=None)

    (failed,) = [row for row in rows.values() if row["verdict"] == "fail"]
    assert failed["code"] == "Z4J-E119"
    assert "wants a client certificate" in failed["text"]


def test_doctor_says_which_file_is_missing(checked, tmp_path):
    rows = checked(tls_key=tmp_path / "nowhere.pem")

    assert rows["network"]["code"] == "Z4J-E117"
    assert "Z4J_TLS_KEY" in rows["network"]["text"]
