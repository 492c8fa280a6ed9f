"""From host name to TLS. The rule: each step has its own code, and none takes longer than 3 s."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from queue import Empty, SimpleQueue
from typing import Any

from ...clock import Clock
from ...config import Dsn, Settings
from ...errors import ConfigError
from ...tls import away, context_of
from .report import Failure, Said

ANSWER_S = 3.0
_SOON_S = 14 * 86_400
_DAY_S = 86_400
_US_PER_S = 1_000_000


def reach(dsn: Dsn, settings: Settings, clock: Clock) -> Said:
    """Resolve, connect and, for https, shake hands.

    Raises:
        Failure: Z4J-E105 DNS, Z4J-E106 TCP, Z4J-E107 and Z4J-E117 to E119 TLS.
    """
    try:
        context = context_of(dsn, settings)
    except ConfigError as error:
        raise Failure(error.code, error.text) from error
    address = _resolve(dsn)
    started = clock.monotonic()
    try:
        sock = socket.create_connection((address, dsn.port), timeout=ANSWER_S)
    except TimeoutError as error:
        text = f"{address}:{dsn.port} does not answer within {ANSWER_S:g} s: a firewall?"
        raise Failure("Z4J-E106", text) from error
    except OSError as error:
        raise Failure("Z4J-E106", f"{address}:{dsn.port}: {_why(error)}") from error
    text = f"{dsn.host} → {address}:{dsn.port}, TCP {_ms(clock, started)} ms"
    with sock:
        if context is None:
            return Said(f"{text}, no TLS on this machine")
        return _shake(sock, dsn, context, clock, text)


def speaks_tls(dsn: Dsn) -> bool:
    """Whether the port answers a TLS greeting; nothing it says is believed."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError):
        sock = socket.create_connection((dsn.host, dsn.port), timeout=ANSWER_S)
        with sock, context.wrap_socket(sock, server_hostname=dsn.host):
            return True
    return False


def _resolve(dsn: Dsn) -> str:
    found: SimpleQueue[str | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            answer = socket.getaddrinfo(dsn.host, dsn.port, type=socket.SOCK_STREAM)
            found.put(str(answer[0][4][0]))
        except OSError as error:
            found.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = found.get(timeout=ANSWER_S)
    except Empty:
        text = f"no resolver answers for {dsn.host} within {ANSWER_S:g} s"
        raise Failure("Z4J-E105", text) from None
    if isinstance(answer, OSError):
        raise Failure("Z4J-E105", f"{dsn.host}: {_why(answer)}") from answer
    return answer


def _shake(sock: socket.socket, dsn: Dsn, context: ssl.SSLContext, clock: Clock, text: str) -> Said:
    started = clock.monotonic()
    try:
        with context.wrap_socket(sock, server_hostname=dsn.host) as tls:
            certificate, version = tls.getpeercert() or {}, tls.version()
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError) as error:
        if isinstance(error, ssl.SSLError) and _is_told(error):
            why = away(error, dsn)
            raise Failure(why.code, str(why)) from error
        text = f"{dsn.host}:{dsn.port} does not speak TLS; is it http, or another port?"
        raise Failure("Z4J-E107", text) from error
    except OSError as error:
        raise Failure("Z4J-E107", f"{dsn.host}:{dsn.port}: {_why(error)}") from error
    left_s = _valid_until(certificate) - clock.wall_us() / _US_PER_S
    told = f"{text}, {version} {_ms(clock, started)} ms"
    return Said(f"{told}, certificate {left_s / _DAY_S:.0f} d left", is_warning=left_s < _SOON_S)


def _is_told(error: ssl.SSLError) -> bool:
    """Whether TLS is spoken there, and one side said why not with the other."""
    is_alert = "_ALERT_" in (error.reason or "")
    return is_alert or isinstance(error, ssl.SSLCertVerificationError)


def _valid_until(certificate: dict[str, Any]) -> float:
    return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))


def _why(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


def _ms(clock: Clock, started: float) -> int:
    return int((clock.monotonic() - started) * 1000)
