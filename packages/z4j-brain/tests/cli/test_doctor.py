"""`z4j doctor` against a served brain, broken on purpose: one line names each cause."""

from __future__ import annotations

import datetime as dt
import json
import os
import ssl
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from served import PROJECT, environment, listening, served
from z4j_brain.cli import keys
from z4j_core.cli.doctor import main
from z4j_core.clock import SystemClock
from z4j_core.wire import Secret, encode_secret, parse_dsn
from z4j_testing.demo.processes import free_port

pytestmark = pytest.mark.live
DOCTOR = "import sys; from z4j_core.cli.doctor import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    with served(tmp_path_factory.mktemp("brain")) as running:
        yield running


@pytest.fixture
def doctor(tmp_path, monkeypatch, capsys):
    """Run doctor with a DSN; (exit code, its lines)."""
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("Z4J_SPOOL_DIR", str(tmp_path / "spool"))

    def run(dsn, **more):
        monkeypatch.setenv("Z4J_DSN", dsn)
        capsys.readouterr()
        return main([], **more), capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def key(brain, capsys):
    """Work with keys as on the brain's own machine; what was printed, line by line."""

    def work(*arguments):
        where = ["--data-dir", str(brain.home), "--project", PROJECT, "--json"]
        capsys.readouterr()
        assert keys.main([*arguments, *where]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return work


def failed(said):
    return [line for line in said if line.startswith("FAIL")]


def with_secret(dsn, secret):
    parsed = parse_dsn(dsn)
    return dsn.replace(urlsplit(dsn).password, encode_secret(parsed.key_id, Secret(secret)))


def moved(dsn, port, scheme="http"):
    parts = urlsplit(dsn)
    return dsn.replace(f":{parts.port}/", f":{port}/").replace("http://", f"{scheme}://")


def test_of_a_good_installation_every_line_is_ok_and_no_task_and_no_agent_is_seen(doctor, brain):
    code, said = doctor(brain.dsn)

    assert code == 0, said
    assert [line.split()[1] for line in said] == [
        "dsn", "network", "handshake", "clock", "event", "command", "spool", "policy",
        "arq", "celery", "dramatiq", "huey", "rq", "taskiq",
    ]  # fmt: skip
    assert {line.split()[0] for line in said} == {"ok"}
    assert brain.rows("SELECT count(*) FROM tasks") == [(0,)]
    assert brain.rows("SELECT count(*) FROM agents") == [(0,)]


def test_the_event_is_stored_and_the_command_answered_before_it_says_so(doctor, brain):
    doctor(brain.dsn)

    notes = brain.rows("SELECT code FROM notes")
    stored = brain.rows("SELECT cls, max(watermark) FROM streams GROUP BY cls ORDER BY cls")
    assert set(notes) == {("doctor.probe",)}
    assert stored == [(0, 1), (1, 1)]


def test_a_wrong_secret_is_answered_within_five_seconds_and_the_brain_knows_which(brain, key):
    wrong = with_secret(brain.dsn, os.urandom(32))
    one_engine = environment(Z4J_DSN=wrong, Z4J_ENGINES="celery")  # an app has not all six
    started = SystemClock().monotonic()

    done = subprocess.run(
        [sys.executable, "-c", DOCTOR], env=one_engine, cwd=brain.home,
        capture_output=True, text=True, timeout=5, check=False,
    )  # fmt: skip
    took = SystemClock().monotonic() - started

    (line,) = failed(done.stdout.splitlines())
    assert (done.returncode, took < 5) == (2, True)
    assert "Z4J-E110 the brain did not prove that it knows key z4k_" in line
    assert "wrong secret, unknown, revoked or foreign key" in line
    assert "skip  clock, event, command need the handshake" in done.stdout
    assert key("refused")[0]["reason"] == "wrong secret"


def test_a_revoked_key_is_not_proven_and_the_brain_knows_why(doctor, brain, key):
    (made,) = key("create", "--url", brain.url)
    key("revoke", "--cred", made["cred_id"])

    code, said = doctor(made["dsn"])

    assert (code, "Z4J-E110" in failed(said)[0]) == (2, True)
    assert key("refused")[0]["reason"] == "revoked key"


def test_an_unknown_key_is_not_proven_and_the_brain_knows_why(doctor, brain, key, tmp_path):
    with served(tmp_path / "other") as other:
        foreign = moved(other.dsn, brain.port)

    code, said = doctor(foreign)

    assert (code, "Z4J-E110" in failed(said)[0]) == (2, True)
    assert key("refused")[0]["reason"] == "unknown key"


def test_a_wrong_project_names_the_right_one(doctor, brain):
    code, said = doctor(brain.dsn.removesuffix(f"/{PROJECT}") + "/shoe")

    assert code == 2
    assert "Z4J-E112 this key belongs to project 'shop', not 'shoe'" in failed(said)[0]


def test_a_wrong_port_is_refused_and_what_needs_it_is_skipped(doctor, brain):
    code, said = doctor(moved(brain.dsn, free_port()))

    assert code == 2
    assert failed(said)[0].startswith("FAIL  network    Z4J-E106 127.0.0.1:")
    assert "Connection refused" in failed(said)[0]
    assert "skip  handshake, clock, event, command need the network" in said


def test_a_host_that_no_resolver_knows_is_named(doctor, brain):
    parts = urlsplit(brain.dsn)

    code, said = doctor(f"https://{parts.username}:{parts.password}@brain.invalid/shop")

    assert code == 2
    assert "Z4J-E105 brain.invalid: " in failed(said)[0]


def test_another_web_server_is_no_brain(doctor, brain):
    def page(peer):
        peer.recv(4096)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    with listening(page) as port:
        code, said = doctor(moved(brain.dsn, port))

    assert code == 2
    assert "Z4J-E108 127.0.0.1:" in failed(said)[0]
    assert "is not a z4j brain" in failed(said)[0]


@pytest.fixture
def impatient(monkeypatch):
    """Wait a second for answers: these tests are about what is said afterwards."""
    monkeypatch.setattr("z4j_core.cli.doctor.talk.ANSWER_S", 1.0)


@pytest.mark.usefixtures("impatient")
def test_a_brain_that_hangs_is_given_up(doctor, brain):
    def silent(peer):
        while peer.recv(4096):
            continue

    with listening(silent) as port:
        code, said = doctor(moved(brain.dsn, port))

    assert code == 2
    assert "Z4J-E106 no answer from 127.0.0.1:" in failed(said)[0]


def test_https_to_a_port_without_tls_says_so(doctor, brain):
    code, said = doctor(moved(brain.dsn, brain.port, "https"))

    assert code == 2
    assert "Z4J-E107 127.0.0.1:" in failed(said)[0]
    assert "does not speak TLS; is it http, or another port?" in failed(said)[0]


@pytest.mark.usefixtures("impatient")
def test_http_to_a_port_with_tls_says_so(doctor, brain, tmp_path):
    with listening(tls_of(tmp_path)) as port:
        code, said = doctor(moved(brain.dsn, port))

    assert code == 2
    assert "the port speaks TLS, so the DSN begins with https://" in failed(said)[0]


def test_a_certificate_nobody_vouches_for_names_the_setting(doctor, brain, tmp_path):
    with listening(tls_of(tmp_path)) as port:
        code, said = doctor(moved(brain.dsn, port, "https"))

    assert code == 2
    assert "Z4J-E107 certificate of 127.0.0.1: self-signed certificate" in failed(said)[0]
    assert "Z4J_CA_FILE" in failed(said)[0]


@pytest.mark.usefixtures("impatient")
def test_a_brain_that_hangs_behind_tls_is_given_up_and_its_certificate_told(
    doctor, brain, tmp_path, monkeypatch
):
    serve = tls_of(tmp_path)
    monkeypatch.setenv("Z4J_CA_FILE", str(tmp_path / "tls.pem"))
    with listening(serve) as port:
        code, said = doctor(moved(brain.dsn, port, "https"))

    assert code == 2
    assert "Z4J-E106 no answer from 127.0.0.1:" in failed(said)[0]
    assert "ok    network    127.0.0.1 → 127.0.0.1:" in said[1]
    assert "certificate 30 d left" in said[1]


def test_a_spool_that_cannot_be_written_names_the_place_that_is_used(doctor, brain, monkeypatch):
    monkeypatch.setenv("Z4J_SPOOL_DIR", "/proc/z4j")

    code, said = doctor(brain.dsn)

    (line,) = [line for line in said if line.startswith("warn")]
    assert code == 0
    assert line.startswith("warn  spool      Z4J-E123 ")
    assert "not used: configured /proc/z4j: " in line


def test_without_any_place_for_a_spool_it_fails(doctor, brain, monkeypatch):
    monkeypatch.setattr("z4j_core.spool.roots.candidates", lambda _: iter(()))

    code, said = doctor(brain.dsn)

    assert code == 2
    assert failed(said)[0].startswith("FAIL  spool      Z4J-E120 memory only")


def test_a_policy_that_cannot_be_read_names_what_holds(doctor, brain, monkeypatch):
    monkeypatch.setenv("Z4J_ALLOW", "run+fly")

    code, said = doctor(brain.dsn)

    assert code == 2
    assert failed(said)[0].startswith("FAIL  policy     Z4J-E013 ")
    assert "`observe` holds" in failed(said)[0]


def test_without_an_engine_it_says_what_is_installed(doctor, brain, monkeypatch):
    monkeypatch.setenv("Z4J_ENGINES", "toyq")

    code, said = doctor(brain.dsn)

    assert code == 2
    assert failed(said)[0] == (
        "FAIL  engines    Z4J-E201 Z4J_ENGINES names toyq, "
        "installed: arq, celery, dramatiq, huey, rq, taskiq"
    )


def test_a_misspelt_setting_is_named_with_the_nearest(doctor, brain, monkeypatch):
    monkeypatch.setenv("Z4J_ALOW", "run")

    code, said = doctor(brain.dsn)

    assert code == 2
    assert "Z4J-E010 unknown setting Z4J_ALOW (did you mean Z4J_ALLOW?)" in failed(said)[0]


def test_clocks_that_differ_are_a_warning(doctor, brain):
    class Behind(SystemClock):
        def wall_us(self):
            return super().wall_us() - 240_000_000

    code, said = doctor(brain.dsn, clock=Behind())

    assert code == 0, said
    assert any(line.startswith("warn  clock      4 min behind the brain's") for line in said)


SHOP = """
from celery import Celery
app = Celery("shop", broker="memory://")
"""
TASK = """
@app.task(name="shop.charge", queue="pay")
def charge(order_id): ...
"""


def app_said(brain, home, where, module):
    """What doctor says of an app in its directory, in a process of its own as people run it."""
    (home / "shop.py").write_text(module, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", DOCTOR, "--app", where, "--json"], cwd=home, timeout=50, text=True,
        env=environment(Z4J_DSN=brain.dsn, Z4J_SPOOL_DIR=str(home / "spool")), check=False,
        capture_output=True,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    (row,) = [row for row in rows if row["check"] == "app"]
    return done.returncode, row["verdict"], f"{row['code'] or ''} {row['text']}".strip()


@pytest.mark.parametrize("where", ["shop:app", "shop"])
def test_of_an_app_its_tasks_and_queues_are_named(brain, tmp_path, where):
    code, verdict, text = app_said(brain, tmp_path, where, SHOP + TASK)

    assert (code, verdict) == (0, "ok"), text
    assert text.endswith("1 task (shop.charge), 1 queue (celery)")


def test_an_app_without_tasks_is_a_warning(brain, tmp_path):
    code, verdict, text = app_said(brain, tmp_path, "shop:app", SHOP)

    assert (code, verdict) == (0, "warn"), text
    assert "no task, 1 queue (celery): is the module with the tasks imported by the app?" in text


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("nowhere_at_all:app", "cannot be imported: ModuleNotFoundError"),
        ("shop:app", "cannot be imported: AttributeError"),
        ("shop", "makes no app that an installed adapter knows"),
        ("shop:number", "no installed adapter knows a builtins.int"),
    ],
)
def test_an_app_that_is_not_there_is_a_failure_that_says_why(brain, tmp_path, where, why):
    code, verdict, text = app_said(brain, tmp_path, where, "number = 1")

    assert (code, verdict) == (2, "fail")
    assert text.startswith(f"Z4J-E201 {where}")
    assert why in text


def tls_of(home: Path):
    """What answers TLS with a certificate of its own for 127.0.0.1, valid for 30 days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                       critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (home / "tls.pem").write_bytes(certificate.public_bytes(pem) + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(home / "tls.pem")

    def answer(peer):
        with context.wrap_socket(peer, server_side=True) as tls:
            while tls.recv(4096):
                continue

    return answer
