"""From the first byte to WELCOME. The rule: nothing is stored or told before the agent's proof.

A key that is unknown, retired or revoked gets a decoy: same size, same work, no information.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from z4j_core.errors import WireError
from z4j_core.wire import BrainSession, CloseCode, Hello
from z4j_core.wire.bodies import Register

from ..agents import service
from ..agents.service import Proof
from .connection import Identity
from .core import Core

HANDSHAKE_S = 5.0


@dataclass(frozen=True, slots=True)
class Proven:
    """An agent that proved its key, and what it says about itself."""

    wire: BrainSession
    who: Identity
    register: Register


class Refused(Exception):
    """The handshake is over; `code` closes the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Handshake:
    """The brain's half of one handshake; the caller moves the bytes."""

    def __init__(self, core: Core, address: str) -> None:
        self._core = core
        self._address = address
        self._proof: Proof | None = None
        self.wire = BrainSession(
            brain_id=core.brain_id,
            nonce=core.entropy(32),
            now=core.clock.monotonic(),
            nonces=core.nonces,
        )

    async def challenge(self, data: bytes) -> tuple[bytes, int]:
        """Answer HELLO; returns the challenge and 0, or the code to close with after it.

        Raises:
            Refused: these bytes are no HELLO.
        """
        try:
            hello = self.wire.receive_hello(data)
        except WireError as error:
            raise Refused(error.close_code) from error
        core = self._core
        proof = await core.db.read(service.proof_of, core.roots, hello.cred_id.hex(), hello.kid)
        self._proof = proof
        if proof.reason:
            await self._remember(hello, CloseCode.AUTH, proof.reason)
            return self.wire.challenge(proof.secret), 0
        code, detail = self._objection(hello, proof)
        if code:
            await self._remember(hello, code, detail)
        return self.wire.challenge(proof.secret, refuse=code, detail=detail), code

    def register(self, data: bytes) -> Proven:
        """Read REGISTER, whose MAC is the agent's proof.

        Raises:
            Refused: the agent does not hold the key, or says nothing that can be read.
        """
        try:
            received = self.wire.receive(data, self._core.clock.monotonic())
        except WireError as error:
            raise Refused(error.close_code) from error
        key = self._proof.key if self._proof else None
        if key is None or not isinstance(received.body, Register):
            raise Refused(CloseCode.AUTH)
        session = self._core.entropy(16).hex()
        who = Identity(
            key.project_id, key.slug, key.cred_id, key.kid, session, self._address, key.role
        )
        return Proven(self.wire, who, received.body)

    async def disbelieved(self) -> None:
        """Remember that whoever said HELLO for a live key holds another secret."""
        hello, proof = self.wire.hello, self._proof
        if hello is not None and proof is not None and not proof.reason:
            await self._remember(hello, CloseCode.AUTH, "wrong secret")

    def _objection(self, hello: Hello, proof: Proof) -> tuple[int, str]:
        assert proof.key is not None
        if hello.project != proof.key.slug:
            detail = f"this key belongs to project {proof.key.slug!r}, not {hello.project!r}"
            return CloseCode.PROJECT, detail
        allowed = self._core.agent_urls
        if allowed and not any(_same_place(hello.url, url) for url in allowed):
            return CloseCode.URL, f"{hello.url} is not a URL of this brain; allow it or use another"
        return 0, ""

    async def _remember(self, hello: Hello, code: int, reason: str) -> None:
        core, key = self._core, self._proof.key if self._proof else None
        cred_id = hello.cred_id.hex()
        if not core.refusals.is_new((cred_id, self._address, reason), core.clock.monotonic()):
            return
        row: dict[str, Any] = {
            "at": core.clock.wall_us(),
            "project_id": key.project_id if key else None,
            "cred_id": cred_id,
            "kid": hello.kid,
            "address": self._address,
            "url": hello.url.replace("\0", ""),
            "slug": hello.project.replace("\0", ""),
            "code": int(code),
            "reason": reason,
        }
        core.log.warning("agent %s at %s refused: %s", cred_id[:8], self._address, reason)
        await core.db.write(service.remember_refused, row)


def _same_place(dialled: str, allowed: str) -> bool:
    one, other = urlsplit(dialled), urlsplit(allowed)
    return (one.hostname, _port(one.scheme, one.port)) == (
        other.hostname,
        _port(other.scheme, other.port),
    )


def _port(scheme: str, port: int | None) -> int:
    return port or (443 if scheme in {"https", "wss"} else 80)
