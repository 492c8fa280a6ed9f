"""The records of one session, out and in. The rule: sealing one and sending it are one step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from ..clock import Clock
from ..errors import WireError
from ..wire import AgentSession, Fault, RecordType
from ..wire.bodies import Register, Want, Welcome
from ..wire.replication import Lease
from .link import Closed, Link

HANDSHAKE_S = 5.0
ASK_S = 1.0


class Channel:
    """What every session does with its link, whoever opened it."""

    def __init__(self, wire: AgentSession, link: Link, clock: Clock) -> None:
        self.turn = threading.RLock()
        """Held while records are sealed and sent, whichever thread asks the brain."""
        self._wire = wire
        self._link = link
        self._clock = clock

    def greet(self, register: Callable[[], Register], small: Callable[[], Register]) -> Welcome:
        """Shake hands; `small` is what is told of a process whose REGISTER is too large.

        Raises:
            WireError: the session is over.
            Closed: the connection is over.
        """
        self._link.send(self._wire.hello())
        self._wire.receive_challenge(self._answer())
        self._link.unlock(self._wire.poll_key)
        self._link.send(self._registered(register(), small))
        body = self.read(self._answer())
        if not isinstance(body, Welcome):
            raise WireError(Fault.STATE, "the brain did not say WELCOME")
        return body

    def read(self, data: bytes) -> Any:
        """The body of a record that came."""
        return self._wire.receive(data, self._clock.monotonic()).body

    def send(self, type_: RecordType, body: Any) -> None:
        """Send one record."""
        with self.turn:
            self._link.send(self._wire.send(type_, body))

    def want(self, wants: Sequence[Want]) -> None:
        """Say what is wanted of the brain, if anything is."""
        if wants:
            self.send(RecordType.WANT, list(wants))

    def ask(self, question: Lease) -> None:
        """Ask the brain as a lease store; called by threads that wait for the answer.

        Raises:
            TimeoutError: somebody else has been sending for too long.
        """
        if not self.turn.acquire(timeout=ASK_S):
            raise TimeoutError("the connection is busy")
        try:
            self.send(RecordType.LEASE, question)
        finally:
            self.turn.release()

    def bye(self) -> None:
        """Say that this side goes."""
        with self.turn:
            self._link.send(self._wire.close(1000, "going"))

    def _registered(self, register: Register, small: Callable[[], Register]) -> bytes:
        try:
            return self._wire.register(register)
        except WireError as error:
            if error.kind != Fault.SIZE:
                raise
            return self._wire.register(small())

    def _answer(self) -> bytes:
        data = self._link.receive(HANDSHAKE_S)
        if data is None:
            raise Closed(4408, "no answer to the handshake within 5 s")
        return data
