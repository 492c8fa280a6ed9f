"""A WebSocket to the brain. The rule: every failure to open it has one code.

No redirects, no compression, no pings.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import sys
from typing import Any, NoReturn

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)
from websockets.sync import client

from ..errors import Away
from ..tls import away, refusal, refusal_in
from ..wire.dsn import Dsn
from .link import CLOSE_TIMEOUT_S, OPEN_TIMEOUT_S, Closed

PROTOCOL = "z4j.2"
CONNECT_TIMEOUT_S = 3
"""For TCP alone: it asks again at growing intervals, and a network that just came back would wait
for the next one longer than for a new try."""
MAX_MESSAGE = 262_188
SEND_TIMEOUT_S = 30
RESEND_MOST_S = 2
_TCP_RTO_MAX_MS = 44
"""Linux 6.15; the socket module does not name it."""


class WebSocketLink:
    """One open WebSocket; bytes in, bytes out."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def send(self, record: bytes) -> None:
        """Send one record.

        Raises:
            Closed: the session is over, unknown how much arrived.
        """
        try:
            self._connection.send(record)
        except (WebSocketException, OSError) as error:
            raise _closed(error) from error

    def unlock(self, poll_key: bytes) -> None:
        """Nothing is polled here."""

    def receive(self, timeout_s: float) -> bytes | None:
        """The next record, or None when none came in time.

        Raises:
            Closed: the session is over.
        """
        try:
            data = self._connection.recv(timeout=timeout_s)
        except TimeoutError:
            return None
        except (WebSocketException, OSError) as error:
            raise _closed(error) from error
        if isinstance(data, bytes):
            return data
        raise Closed(4400, "text where records were expected")

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close; never raises."""
        with contextlib.suppress(WebSocketException, OSError):
            self._connection.close(code, reason[:100])

    def drop(self) -> None:
        """Close the socket without the WebSocket's manners: the peer does not answer."""
        with contextlib.suppress(OSError):
            self._connection.socket.shutdown(socket.SHUT_RDWR)


class _Waking(client.ClientConnection):
    """Wakes its reader before it closes.

    TLS 1.3 sends tickets that are no data: a reader that saw them waits inside TLS, where closing
    the descriptor does not reach it, and whoever joins it would wait for ever.
    """

    def close_socket(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        super().close_socket()


def dial(
    dsn: Dsn, context: ssl.SSLContext | None, timeout_s: float = OPEN_TIMEOUT_S
) -> WebSocketLink:
    """Connect to the brain of `dsn`, which may take `timeout_s` seconds to answer.

    Raises:
        Away: with the code of the cause.
    """
    try:
        connection = _connect(dsn.url, context, timeout_s)
    except (WebSocketException, OSError) as error:
        _explain(error, dsn, context)
    limit_sends(connection.socket)
    return WebSocketLink(contextlib.ExitStack().enter_context(connection))


def _connect(url: str, context: ssl.SSLContext | None, timeout_s: float) -> Any:
    options: dict[str, Any] = {
        "subprotocols": [PROTOCOL],
        "compression": None,
        "ping_interval": None,
        "open_timeout": timeout_s,
        "timeout": min(timeout_s, CONNECT_TIMEOUT_S),
        "close_timeout": CLOSE_TIMEOUT_S,
        "max_size": MAX_MESSAGE,
        "ssl": context,
        "create_connection": _Waking,
    }
    following = getattr(client, "reconnect", None)
    if following is None:
        return client.connect(url, **options)

    class Straight(following):  # type: ignore[misc,valid-type]  # absent in older releases
        """Takes a redirect for what it is here: a wrong address."""

        def process_redirect(self, exc: Exception) -> Exception:
            return exc

    return Straight(url, **options).connect()


def _explain(error: Exception, dsn: Dsn, context: ssl.SSLContext | None) -> NoReturn:
    status = 0
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        refused = refusal_in(status, bytes(error.response.body or b""), dsn)
    else:
        refused = refusal(error, dsn, context)
    if refused is not None:
        raise refused from error
    if isinstance(error, InvalidHandshake):
        text = f"{dsn.host}:{dsn.port} is not a z4j brain: {error}"
        raise Away("Z4J-E108", text, status) from error
    raise unreachable(error, dsn) from error


def unreachable(error: Exception, dsn: Dsn) -> Away:
    """Why no connection to the host of `dsn` came about."""
    host = f"{dsn.host}:{dsn.port}"
    if isinstance(error, socket.gaierror):
        return Away("Z4J-E105", f"host name {dsn.host} cannot be resolved")
    if isinstance(error, ssl.SSLError):
        return away(error, dsn)
    if isinstance(error, TimeoutError):
        return Away("Z4J-E106", f"no answer from {host}")
    if isinstance(error, ConnectionRefusedError):
        return Away("Z4J-E106", f"connection refused by {host}")
    return Away("Z4J-E106", f"no connection to {host}: {error}")


def _closed(error: Exception) -> Closed:
    if isinstance(error, ConnectionClosed) and error.rcvd is not None:
        return Closed(error.rcvd.code, error.rcvd.reason)
    return Closed(None, str(error) or type(error).__name__)


def limit_sends(sock: Any) -> None:
    """Let the kernel give up on a peer that reads nothing, so that no send waits for ever.

    And let it ask often while a network is away: at doubling intervals a session that survives a
    gap of 20 s would notice its end up to 20 s later.
    """
    with contextlib.suppress(OSError, AttributeError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_TIMEOUT_S, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SEND_TIMEOUT_S * 1000)
        if sys.platform == "linux":
            sock.setsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS, RESEND_MOST_S * 1000)
