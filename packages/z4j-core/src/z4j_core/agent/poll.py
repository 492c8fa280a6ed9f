"""A session over plain HTTPS requests. The rule: a request that fails ends the session.

Records wait until the agent's thread receives, and go up together, five times a second at most;
one daemon thread asks for those of the brain, as a WebSocket has one that reads.
"""

from __future__ import annotations

import contextlib
import ssl
import threading

from ..clock import Clock
from ..errors import Away, WireError
from ..wire import CloseCode
from ..wire.dsn import Dsn
from ..wire.poll import (
    DOWN_PATH,
    ELSEWHERE,
    HELLO_PATH,
    MAX_BATCH_BYTES,
    PREFIX_BYTES,
    UP_PATH,
    UPS_PER_S,
    WAIT_S,
    join,
    prove,
    split,
)
from .inbox import Inbox
from .link import CLOSE_TIMEOUT_S, OPEN_TIMEOUT_S, Closed
from .post import Answer, Poster

UP_TIMEOUT_S = 20.0
DOWN_TIMEOUT_S = WAIT_S + 10.0
LAST_WORDS_S = 1.0
_OK, _NOTHING = 200, 204
_ENDS = {
    410: "HTTP 410: whoever answers there does not know this session (any more)",
    ELSEWHERE: "HTTP 421: this session is held by another brain than the one that answered",
}


class PollLink:
    """One session over HTTP; the same bytes in and out as over a WebSocket."""

    def __init__(self, up: Poster, down: Poster, clock: Clock) -> None:
        self._up, self._down = up, down
        self._clock = clock
        self._inbox = Inbox()
        self._session = ""
        self._key = b""
        self._waiting: list[bytes] = []
        self._up_at = 0.0
        self._failed: Closed | None = None
        self._thread: threading.Thread | None = None

    def send(self, record: bytes) -> None:
        """Send HELLO, or keep a record until the next `receive`.

        Raises:
            Away: whoever answered HELLO is no brain.
            Closed: the session is over, unknown how much arrived.
        """
        if self._failed is not None:
            raise self._failed
        if self._session:
            self._waiting.append(record)
        else:
            self._greet(record)

    def unlock(self, poll_key: bytes) -> None:
        """Hear the key that polls are proven with."""
        self._key = poll_key

    def receive(self, timeout_s: float) -> bytes | None:
        """The next record, or None when none came in time; sends what waits.

        Raises:
            Closed: the session is over.
        """
        until = self._clock.monotonic() + timeout_s
        while self._failed is None:
            if (found := self._inbox.take(0)) is not None:
                return found
            now = self._clock.monotonic()
            if self._waiting and now >= self._up_at:
                self.flush()
                continue
            if now >= until:
                return None
            due = min(until, self._up_at) if self._waiting else until
            if (found := self._inbox.take(due - now)) is not None:
                return found
        if (found := self._inbox.take(LAST_WORDS_S)) is not None:
            return found
        raise self._failed

    def flush(self, timeout_s: float = UP_TIMEOUT_S) -> None:
        """Send what waits, as much as one request carries, however short ago the last one was.

        Raises:
            Closed: the session is over, unknown how much arrived.
        """
        count, size = 0, 0
        for record in self._waiting:
            size += PREFIX_BYTES + len(record)
            if size > MAX_BATCH_BYTES:
                break
            count += 1
        if not count:
            return
        batch = self._waiting[:count]
        del self._waiting[:count]  # another thread may have added to it
        self._up_at = self._clock.monotonic() + 1 / UPS_PER_S
        try:
            self._inbox.put(_records(self._posted(self._up, UP_PATH, join(batch), timeout_s)))
        except Closed as error:
            self._failed = error
            if self._thread is None:
                self._inbox.end(error)
            return
        if self._thread is None and self._key:
            self._thread = threading.Thread(target=self._poll, name="z4j-poll", daemon=True)
            self._thread.start()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send what waits, if that is possible at once, and end both connections.

        A brain that did not prove itself is told so by a request without a record.
        """
        with contextlib.suppress(Closed):
            while self._waiting and self._failed is None and self._session:
                self.flush(CLOSE_TIMEOUT_S)
            if code == CloseCode.AUTH and self._session and not self._key:
                self._posted(self._up, UP_PATH, b"", CLOSE_TIMEOUT_S)
        self._failed = self._failed or Closed(code, reason or "closed")
        self._inbox.end(self._failed)
        self._down.drop()
        self._up.close()
        if self._thread is not None:
            self._thread.join(CLOSE_TIMEOUT_S)

    def _greet(self, hello: bytes) -> None:
        answer = self._up.greet(HELLO_PATH, hello, UP_TIMEOUT_S)
        self._session = answer.session
        self._inbox.put([answer.body])

    def _poll(self) -> None:
        """Ask for records until there are none any more; the body of the second thread."""
        number = 0
        try:
            while self._failed is None:
                number += 1
                body = prove(self._key, number)
                answer = self._posted(self._down, DOWN_PATH, body, DOWN_TIMEOUT_S)
                self._inbox.put(_records(answer))
                self._inbox.wait_for_room()
        except Closed as error:
            self._inbox.end(error)
        finally:
            self._down.close()

    def _posted(self, poster: Poster, path: str, body: bytes, timeout_s: float) -> Answer:
        try:
            answer = poster.post(path, body, self._session, timeout_s)
        except Away as error:
            raise Closed(None, str(error)) from error
        if answer.status in (_OK, _NOTHING):
            return answer
        raise Closed(4000 + answer.status, _ENDS.get(answer.status, f"HTTP {answer.status}"))


def _records(answer: Answer) -> list[bytes]:
    try:
        return split(answer.body)
    except WireError as error:
        raise Closed(error.close_code, str(error)) from error


def dial(
    dsn: Dsn, context: ssl.SSLContext | None, clock: Clock, timeout_s: float = OPEN_TIMEOUT_S
) -> PollLink:
    """Connect to the brain of `dsn`, which may take `timeout_s` seconds to answer.

    Raises:
        Away: with the code of the cause.
    """
    cookies: dict[str, str] = {}
    up, down = (Poster(dsn, context, clock, cookies) for _ in range(2))
    up.connect(timeout_s)
    return PollLink(up, down, clock)
