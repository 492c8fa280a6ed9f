"""Certificates for tests: an authority, and what it signs. The rule: every file is under one home.

Needs `cryptography`, which the tests that use it name themselves.
"""

from __future__ import annotations

import datetime as dt
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from z4j_core.clock import Clock, SystemClock

HOST = "127.0.0.1"
_DAY = dt.timedelta(days=1)


class Pair(NamedTuple):
    """Two files in PEM: a certificate, and its key."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates for this machine; `pair.cert` is what must be trusted."""

    def __init__(self, home: Path, name: str = "authority", clock: Clock | None = None) -> None:
        self._home = home
        clock = clock or SystemClock()
        self._now = dt.datetime.fromtimestamp(clock.wall_us() / 1_000_000, dt.UTC)
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = self._begun(self._name, self._key, 30).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.pair = self._write(name, builder, self._key)

    def issue(self, name: str, days: int = 30, password: bytes | None = None) -> Pair:
        """A certificate for 127.0.0.1 that ends in so many days, fewer than 0 for a past end."""
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._begun(subject, key, days).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False
        )
        return self._write(name, builder, key, password)

    def server(self, pair: Pair, clients: Path | None = None) -> ssl.SSLContext:
        """What a server shows, and, with the authority of its `clients`, wants of each of them."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*pair)
        if clients is not None:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _begun(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
    ) -> x509.CertificateBuilder:
        ends = self._now + days * _DAY
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(ends, self._now) - _DAY)
            .not_valid_after(ends)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
        )

    def _write(
        self,
        name: str,
        builder: x509.CertificateBuilder,
        key: ec.EllipticCurvePrivateKey,
        password: bytes | None = None,
    ) -> Pair:
        pem = serialization.Encoding.PEM
        hidden: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            hidden = serialization.BestAvailableEncryption(password)
        pair = Pair(self._home / f"{name}.crt", self._home / f"{name}.key")
        pair.cert.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(pem))
        pair.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, hidden))
        return pair
