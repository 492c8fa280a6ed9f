"""The brain's side of a session. The rule: a stranger learns nothing and costs almost nothing."""

from __future__ import annotations

from typing import Any

from ..errors import WireError
from .bodies import Welcome
from .codes import MAX_RECORD_BYTES, VERSION, CloseCode, Fault, RecordType, fault
from .frames import Direction
from .handshake import Challenge, Hello, derive, pack_core, unpack_hello
from .keys import KeyId, Secret
from .nonces import Nonces
from .poll import poll_key
from .records import Record
from .session import LIFETIME_S, Half, State

# An agent renews its session after a day, give or take a tenth; the brain only enforces the end.
_LIFETIME_S = 1.1 * LIFETIME_S


class BrainSession(Half):
    """receive_hello → look the key up → challenge → receive (REGISTER) → send WELCOME → both ways.

    `nonce` is 32 fresh random bytes, `now` seconds of a monotonic clock. `nonces`, shared by all
    sessions of a process, finds agents whose randomness repeats.
    """

    _sends = Direction.TO_AGENT
    _silence_beats = 3.0

    def __init__(
        self,
        *,
        brain_id: bytes,
        nonce: bytes,
        now: float,
        max_rec: int = MAX_RECORD_BYTES,
        credit: int = 8,
        nonces: Nonces | None = None,
    ) -> None:
        super().__init__(now, _LIFETIME_S)
        self._terms = (brain_id, nonce, max_rec, credit)
        self._nonces = nonces
        self._raw_hello = b""
        self.hello: Hello | None = None

    @property
    def key_id(self) -> KeyId:
        """The key the agent claims to hold; proven once REGISTER is in."""
        assert self.hello is not None
        return KeyId(self.hello.cred_id, self.hello.kid)

    @property
    def poll_key(self) -> bytes:
        """What polls of this session are proven with; known once it was challenged."""
        return poll_key(self._key_in)

    def expects(self, data: bytes) -> bool:
        """Whether `data` is the record that comes next; the session stands whatever it is."""
        if self.state not in (State.CHALLENGED, State.OPEN):
            return False
        try:
            super()._unseal(data)
        except WireError:
            return False
        return True

    def receive_hello(self, data: bytes) -> Hello:
        """Read HELLO. Nothing in it is proven yet.

        Raises:
            WireError: State, Size, Malformed, Depth or Version.
        """
        try:
            self.state = self._next("hello")
            self.hello = unpack_hello(data)
        except WireError:
            self.state = State.CLOSED
            raise
        self._raw_hello = data
        return self.hello

    def challenge(self, secret: Secret, *, refuse: int = 0, detail: str = "") -> bytes:
        """CHALLENGE under `secret`: the key's own, or the decoy of a key that does not live.

        A live key refused for another reason gets `refuse`, a close code, and the cause for people;
        then the session is closed.

        Raises:
            WireError: State.
        """
        state = self._next("refuse" if refuse else "challenge")
        assert self.hello is not None
        brain_id, nonce, max_rec, credit = self._terms
        core = pack_core(
            Challenge(VERSION, brain_id, nonce, int(refuse), detail[:200], max_rec, credit)
        )
        keys = derive(secret, self.hello.nonce_a + nonce, self._raw_hello, core)
        self._key_in, self._key_out = keys.to_brain, keys.to_agent
        self.state = state
        return core + keys.proof

    def send(self, type_: int, body: Any) -> bytes:
        """The next record; WELCOME opens the session. See Half.send."""
        record = super().send(type_, body)
        if isinstance(body, Welcome):
            self.welcome = body
        return record

    def _unseal(self, data: bytes) -> Record:
        try:
            return super()._unseal(data)
        except WireError as error:
            if error.kind == Fault.MAC and self.state is State.CHALLENGED:
                raise fault(Fault.MAC, "the agent holds another key", CloseCode.AUTH) from error
            raise

    def _accept(self, type_: RecordType, body: Any, now: float) -> None:
        if type_ is RecordType.REGISTER and self._nonces and self.hello:
            self._nonces.use(self.hello.cred_id, self.hello.nonce_a, now)
