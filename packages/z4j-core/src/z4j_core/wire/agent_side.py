"""The agent's side of a session. The rule: the brain proves itself before it is told anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import WireError
from .bodies import Register, Welcome
from .codes import MAX_RECORD_BYTES, VERSION, Fault, RecordType, fault
from .events import Head, events_body
from .frames import Direction
from .handshake import (
    Challenge,
    Hello,
    derive,
    nonce_of,
    pack_hello,
    split_challenge,
    unpack_core,
    verify,
)
from .keys import Credential
from .poll import poll_key
from .session import LIFETIME_S, Half, State


class AgentSession(Half):
    """hello → receive_challenge → register → receive (WELCOME) → send and receive.

    `url` is the WebSocket URL as dialled, `nonce` 32 fresh random bytes, `now` seconds of a
    monotonic clock, `lifetime_s` a day give or take a tenth.
    """

    _sends = Direction.TO_BRAIN
    _silence_beats = 2.5

    def __init__(
        self,
        credential: Credential,
        *,
        url: str,
        project: str,
        nonce: bytes,
        now: float,
        lifetime_s: float = LIFETIME_S,
    ) -> None:
        super().__init__(now, lifetime_s)
        self._credential = credential
        self._place = (url, project)
        self._hello = b""
        self._nonce = nonce
        self.challenge: Challenge | None = None
        self.credit = 0

    def hello(self, certificate: bytes = b"") -> bytes:
        """The first message; `certificate`, the SHA-256 of the server's, binds the session to it.

        Raises:
            WireError: State.
        """
        self.state = self._next("hello")
        cred_id, kid, _ = self._credential
        binding = (int(bool(certificate)), certificate)
        hello = Hello(VERSION, VERSION, cred_id, kid, self._nonce, *binding, *self._place)
        self._hello = pack_hello(hello)
        return self._hello

    def receive_challenge(self, data: bytes) -> Challenge:
        """Verify what the brain answered.

        Raises:
            WireError: Auth when the proof is wrong (wrong, retired or foreign key, or not our
                brain); Refused with the brain's code and cause when it holds the key but will not
                talk; Size, Malformed, Version, State. Nothing was told to the brain.
        """
        try:
            return self._verify(data)
        except WireError:
            self.state = State.CLOSED
            raise

    def _verify(self, data: bytes) -> Challenge:
        state = self._next("challenge")
        core, proof = split_challenge(data)
        nonces = self._nonce + nonce_of(core)
        keys = derive(self._credential.secret, nonces, self._hello, core)
        verify(keys, proof)
        challenge = unpack_core(core)
        if challenge.refuse:
            raise fault(Fault.REFUSED, challenge.detail or "refused", challenge.refuse)
        self._key_out, self._key_in = keys.to_brain, keys.to_agent
        self._max_out = min(challenge.max_rec, MAX_RECORD_BYTES)
        self.challenge, self.credit, self.state = challenge, challenge.credit, state
        return challenge

    @property
    def poll_key(self) -> bytes:
        """What polls of this session are proven with; known once the challenge is verified."""
        assert self.challenge is not None
        return poll_key(self._key_out)

    def register(self, register: Register) -> bytes:
        """REGISTER; its MAC is the proof of this agent. At most 4 KiB: send the rest in UPDATE.

        Raises:
            WireError: State or Size.
        """
        return self.send(RecordType.REGISTER, register)

    def events_record(self, handle: int, first: int, age_ms: int, bodies: Sequence[bytes]) -> bytes:
        """EVENTS around items as they lie in the spool: nothing is decoded.

        Raises:
            WireError: State, or Size: halve the batch; no number was used.
        """
        return self._seal(RecordType.EVENTS, events_body(Head(handle, first, age_ms), bodies))

    def _accept(self, type_: RecordType, body: Any, now: float) -> None:
        if isinstance(body, Welcome):
            self.welcome = body
        if type_ in (RecordType.WELCOME, RecordType.ACK, RecordType.FLOW):
            self.credit = body.credit
