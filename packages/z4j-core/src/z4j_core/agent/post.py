"""POST over one kept connection. The rule: a request is sent once, bounded in bytes and time.

Nothing is repeated: whether a request that failed was carried out is unknown, and what is not
acknowledged is sent again by the next session.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import ssl
from functools import partial
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple

from ..clock import Clock
from ..errors import Away
from ..tls import refusal, refusal_in
from ..tunnel import connection_to
from ..wire.dsn import Dsn
from ..wire.poll import MAX_BATCH_BYTES, MEDIA_TYPE, SESSION_HEADER
from .bounded import BoundedResponse
from .connector import CONNECT_TIMEOUT_S, limit_sends, unreachable
from .link import OPEN_TIMEOUT_S, Closed

KEPT_S = 20.0
"""How long a connection may have been idle: servers and proxies close theirs after more."""
_CHUNK = 65_536
_COOKIE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}=[!-+\--:<-~]{1,1024})(?:;.*)?", re.DOTALL)
_MOST_COOKIES = 8
_OK = 200
_HANDLE = re.compile("[0-9a-f]{32}")


class Answer(NamedTuple):
    """What came back; `session` is the handle of a new session."""

    status: int
    body: bytes
    session: str


class Poster:
    """Sends requests to one brain, one after the other; `drop` may come from another thread.

    `cookies` are those of one session, shared by its posters: load balancers set them to send all
    of its requests to the same brain.
    """

    def __init__(
        self,
        dsn: Dsn,
        context: ssl.SSLContext | None,
        clock: Clock,
        cookies: dict[str, str] | None = None,
    ) -> None:
        self._dsn = dsn
        self._context = context
        self._cookies = {} if cookies is None else cookies
        self._clock = clock
        self._used_at = 0.0
        self._is_fresh = False
        self._is_dropped = False
        self._connection: Any = connection_to(dsn, context)  # its response class is none by type

    def connect(self, timeout_s: float = OPEN_TIMEOUT_S) -> None:
        """Connect.

        Raises:
            Away: with the code of the cause.
        """
        self._connection.timeout = min(timeout_s, CONNECT_TIMEOUT_S)
        try:
            self._connection.connect()
        except (OSError, HTTPException) as error:
            raise unreachable(error, self._dsn) from error
        self._used_at, self._is_fresh = self._clock.monotonic(), True
        limit_sends(self._connection.sock)
        if self._is_dropped:
            self.drop()

    def post(self, path: str, body: bytes, session: str, timeout_s: float) -> Answer:
        """Send one request and read its whole answer within `timeout_s` seconds.

        Raises:
            Away: there is no connection; nothing was sent.
            Closed: unknown whether the request was carried out.
        """
        until = self._clock.monotonic() + timeout_s
        if self._is_stale():
            self._connection.close()
            self.connect(min(timeout_s, OPEN_TIMEOUT_S))
        self._is_fresh = False
        headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
        if session:
            headers[SESSION_HEADER] = session
        if self._cookies:
            headers["Cookie"] = "; ".join(self._cookies.values())
        try:
            self._connection.sock.settimeout(timeout_s)
            self._connection.response_class = partial(
                BoundedResponse, clock=self._clock, until=until
            )
            self._connection.request("POST", self._dsn.prefix + path, body, headers)
            with self._connection.getresponse() as response:
                answer = _read(response)
                _keep(response, self._cookies)
        except TimeoutError as error:
            raise Closed(4408, f"no answer within {timeout_s:g} s") from error
        except (OSError, HTTPException, AttributeError) as error:
            raise Closed(None, str(error) or type(error).__name__) from error
        self._used_at = self._clock.monotonic()
        return answer

    def greet(self, path: str, hello: bytes, timeout_s: float) -> Answer:
        """Send HELLO, the first request of a session.

        Raises:
            Away: there is no connection, or none for us, or whoever answered is no brain.
            Closed: unknown what became of it.
        """
        try:
            answer = self.post(path, hello, "", timeout_s)
        except Closed as error:
            raise refusal(error.__cause__, self._dsn, self._context) or error from error
        if answer.status == _OK and _HANDLE.fullmatch(answer.session):
            return answer
        place = f"{self._dsn.host}:{self._dsn.port}"
        text = f"{place} is not a z4j brain: HTTP {answer.status}"
        refused = refusal_in(answer.status, answer.body, self._dsn)
        raise refused or Away("Z4J-E108", text, answer.status)

    def drop(self) -> None:
        """End the connection under whoever waits for it, and open none again; never raises."""
        self._is_dropped = True
        sock = self._connection.sock
        with contextlib.suppress(OSError, AttributeError):
            sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Release the descriptor; only the thread that posts may do so."""
        self.drop()
        with contextlib.suppress(OSError):
            self._connection.close()

    def _is_stale(self) -> bool:
        """Whether the other side may have closed: nothing of ours is on its way in between."""
        sock = self._connection.sock
        if sock is None or self._clock.monotonic() - self._used_at > KEPT_S:
            return True
        if self._is_fresh:
            return False
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(sock, selectors.EVENT_READ)
                return bool(selector.select(0))
        except (OSError, ValueError):
            return True


def _read(response: HTTPResponse) -> Answer:
    parts, size = [], 0
    while data := response.read1(_CHUNK):
        size += len(data)
        parts.append(data)
        if size > MAX_BATCH_BYTES:
            raise HTTPException("an answer without end")
    if response.length:
        raise HTTPException("an answer that ends too early")
    session = response.getheader(SESSION_HEADER) or ""
    return Answer(response.status, b"".join(parts), session)


def _keep(response: HTTPResponse, cookies: dict[str, str]) -> None:
    """Take over the cookies of an answer, as many as are any use to a load balancer."""
    for header in response.headers.get_all("Set-Cookie", ()):
        if found := _COOKIE.fullmatch(header.strip()):
            name = found[1].partition("=")[0]
            if name in cookies or len(cookies) < _MOST_COOKIES:
                cookies[name] = found[1]
