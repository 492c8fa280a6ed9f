"""TLS on the way to a brain. The rule: one function trusts, one says why it came to nothing.

Agents and commands go the same way. The files are read at each dial: a certificate that was renewed
needs no restart.
"""

from __future__ import annotations

import contextlib
import ssl
from http.client import HTTPException
from pathlib import Path
from typing import NoReturn, Protocol

from websockets.exceptions import WebSocketException

from .errors import Away, ConfigError
from .tunnel import Host, connection_to

_CONNECT_S = 3.0
_ALERT_S = 1.0
_FILE, _PAIR = "Z4J-E117", "Z4J-E118"
_SERVER, _CLIENT = "Z4J-E107", "Z4J-E119"
_CERTIFICATE, _KEY = b"CERTIFICATE-----", b"PRIVATE KEY-----"
_NOT_A_PAIR = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"})
_NO_AUTHORITY = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's reasons to distrust whoever signed; all others are about the certificate itself."""
_WANTED = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
_MAYBE_WANTED = "SSLV3_ALERT_HANDSHAKE_FAILURE"
_REFUSED = frozenset({
    "TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "TLSV1_ALERT_ACCESS_DENIED",
    "TLSV1_ALERT_DECRYPT_ERROR",
})  # fmt: skip
_BROKEN_OFF = (
    ssl.SSLError, ConnectionResetError, BrokenPipeError, HTTPException, WebSocketException,
)  # fmt: skip
_BAD_REQUEST = 400
_PAGES = (b"No required SSL certificate", b"The SSL certificate error")
"""What nginx says in the body of a 400 instead of ending the handshake."""


class Files(Protocol):
    """Paths of what is trusted, and of what is shown where somebody asks for a certificate."""

    @property
    def ca_file(self) -> str | None: ...
    @property
    def tls_cert(self) -> str | None: ...
    @property
    def tls_key(self) -> str | None: ...


def context_of(dsn: Host, files: Files) -> ssl.SSLContext | None:
    """What TLS with the brain of `dsn` trusts and shows; None where there is no TLS.

    Raises:
        ConfigError: Z4J-E117 a file cannot be used, Z4J-E118 the key is not the certificate's.
    """
    if dsn.scheme != "https":
        return None
    if files.ca_file:
        _read("Z4J_CA_FILE", files.ca_file, _CERTIFICATE, "certificate")
    try:
        context = ssl.create_default_context(cafile=files.ca_file)
    except (ssl.SSLError, OSError) as error:
        text = f"Z4J_CA_FILE: {files.ca_file} cannot be used: {_reason(error)}"
        raise ConfigError(_FILE, text) from error
    if files.tls_cert:
        _show(context, files.tls_cert, files.tls_key)
    return context


def refusal(error: BaseException | None, dsn: Host, context: ssl.SSLContext | None) -> Away | None:
    """Whether the brain's TLS refuses us, where a connection broke off before any answer.

    What refuses a client's certificate may say so after the handshake, and closes: who is sending
    by then sees no more than that nobody listens. So it is asked again, and nothing is sent.
    """
    if context is None or isinstance(error, ssl.SSLCertVerificationError):
        return None
    if not isinstance(error, _BROKEN_OFF):
        return None
    if isinstance(error, ssl.SSLError) and (found := away(error, dsn)).code == _CLIENT:
        return found
    connection = connection_to(dsn, context)
    connection.timeout = _CONNECT_S
    try:
        connection.connect()
        connection.sock.settimeout(_ALERT_S)
        connection.sock.recv(1)
    except ssl.SSLError as again:
        found = away(again, dsn)
        return found if found.code == _CLIENT else None
    except (OSError, HTTPException):
        return None
    finally:
        with contextlib.suppress(OSError):
            connection.close()
    return None


def away(error: ssl.SSLError, dsn: Host) -> Away:
    """Why TLS with the host of `dsn` failed."""
    host = f"{dsn.host}:{dsn.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        is_unknown = error.verify_code in _NO_AUTHORITY
        hint = "; its authority in Z4J_CA_FILE?" if is_unknown else ""
        return Away(_SERVER, f"certificate of {dsn.host}: {error.verify_message}{hint}")
    if error.reason == _WANTED:
        return _wanted(host)
    if error.reason == _MAYBE_WANTED:
        text = f"{host} refused the handshake: it wants a client certificate (Z4J_TLS_CERT), "
        return Away(_CLIENT, text + "or shares no cipher")
    if error.reason in _REFUSED:
        return Away(_CLIENT, f"{host} refuses the client certificate: {error.reason}")
    return Away(_SERVER, f"TLS with {host} failed: {error.reason or error}")


def refusal_in(status: int, body: bytes, dsn: Host) -> Away | None:
    """Whether an answer refuses us for want of a certificate it trusts."""
    if status != _BAD_REQUEST or not any(page in body for page in _PAGES):
        return None
    host = f"{dsn.host}:{dsn.port}"
    if _PAGES[0] in body:
        return _wanted(host)
    return Away(_CLIENT, f"{host} refuses the client certificate")


def _wanted(host: str) -> Away:
    return Away(_CLIENT, f"{host} wants a client certificate: name it in Z4J_TLS_CERT")


def _show(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    """Load the certificate that is shown to brains, and its key."""
    _read("Z4J_TLS_CERT", cert, _CERTIFICATE, "certificate")
    named = "Z4J_TLS_KEY" if key else "Z4J_TLS_CERT"
    where = key or cert
    _read(named, where, _KEY, "private key")

    def locked() -> NoReturn:
        """Without this, OpenSSL would ask whoever sits at the terminal."""
        raise ConfigError(_FILE, f"{named}: the key in {where} has a passphrase; give one without")

    try:
        context.load_cert_chain(cert, key, locked)
    except ssl.SSLError as error:
        if error.reason in _NOT_A_PAIR:
            text = f"the key in {where} is not that of the certificate in {cert}"
            raise ConfigError(_PAIR, text) from error
        text = f"Z4J_TLS_CERT: {cert} with the key in {where} cannot be used: {_reason(error)}"
        raise ConfigError(_FILE, text) from error
    except OSError as error:
        text = f"Z4J_TLS_CERT: cannot read {cert} or {where}: {_reason(error)}"
        raise ConfigError(_FILE, text) from error


def _read(setting: str, path: str, mark: bytes, what: str) -> None:
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise ConfigError(_FILE, f"{setting}: cannot read {path}: {_reason(error)}") from error
    if mark not in data:
        raise ConfigError(_FILE, f"{setting}: {path} holds no {what} in PEM")


def _reason(error: Exception) -> str:
    said = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return str(said or error)
