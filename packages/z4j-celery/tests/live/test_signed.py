"""An app that signs its messages and accepts no others."""

import contextlib
from datetime import UTC, datetime, timedelta

import kombu
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from rig_modes import working
from z4j_core import Capability, EventKind, Job

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]


def signer(folder):
    """A key and its own certificate, as files; the configuration that signs all with them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    form = serialization.PrivateFormat.TraditionalOpenSSL
    (folder / "shop.key").write_bytes(key.private_bytes(pem, form, plain))
    (folder / "shop.crt").write_bytes(certificate.public_bytes(pem))
    return {
        "security_key": str(folder / "shop.key"),
        "security_certificate": str(folder / "shop.crt"),
        "security_cert_store": str(folder / "*.crt"),
        "security_digest": "sha256",
        "task_serializer": "auth", "event_serializer": "auth", "accept_content": ["auth"],
        "result_accept_content": ["json"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def signing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks")
    with contextlib.ExitStack() as last:
        last.callback(kombu.enable_insecure_serializers)
        yield last.enter_context(working(folder, "solo", conf=signer(folder), db=6))


def test_signed_messages_are_seen_and_retried_unread(signing):
    task_id = signing.send("fail", "signed")
    end = signing.end(task_id)
    assert (end.args, end.error_message) == (["signed"], "signed")

    again = signing.retry(task_id)

    assert signing.end(again).error_message == "signed"
    assert signing.wait(again, EventKind.ENQUEUED).retry_of == task_id


def test_a_signing_app_sends_what_its_worker_accepts(signing):
    sent = signing.verb(Capability.ENQUEUE, job=Job(signing.name("ok"), (1,), queue=signing.queue))

    assert signing.end(sent).result == {"sum": 3}


def test_a_waiting_run_of_a_signing_app_is_cancelled(signing):
    running = signing.occupy()
    waiting = signing.send("echo", "must not run")

    signing.cancel(waiting)

    signing.vacate(running)
    assert signing.end(waiting).kind is EventKind.CANCELLED
