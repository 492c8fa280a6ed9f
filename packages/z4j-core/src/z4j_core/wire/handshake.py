"""HELLO, CHALLENGE and session keys. The rule: no challenge is believed before its proof.

A brain that does not hold the key cannot make the proof, an agent that does not cannot make the MAC
of REGISTER; neither sends anything that could be used again.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple, TypeVar

from .codec import pack, unpack
from .codes import MAX_HANDSHAKE_BYTES, VERSION, Fault, fault
from .keys import Secret, expand, mac, same, transcript_hash
from .schema import U8, U16, U32, Bin16, Bin32, Rule, Str64, Str200, Str512, fields_of, read_row

T = TypeVar("T")
PROOF_BYTES = 32
_MAX_BINDING = 64


def _binding(value: Any) -> bytes:
    if type(value) is not bytes or len(value) > _MAX_BINDING:
        raise fault(Fault.MALFORMED, "not bin ≤ 64")
    return value


Binding = Annotated[bytes, Rule("bin ≤ 64", _binding)]


class Hello(NamedTuple):
    """What an agent says first. `cb_type` 1: `cb` is SHA-256 of the certificate it sees."""

    vmin: U8
    vmax: U8
    cred_id: Bin16
    kid: U8
    nonce_a: Bin32
    cb_type: U8
    cb: Binding
    url: Str512
    project: Str64


class Challenge(NamedTuple):
    """What the brain answers. `refuse` is 0 or a close code, `detail` its cause for people."""

    ver: U8
    brain_id: Bin16
    nonce_b: Bin32
    refuse: U16
    detail: Str200
    max_rec: U32
    credit: U16


class SessionKeys(NamedTuple):
    """The proof of the brain and one key for each direction."""

    proof: bytes
    to_brain: bytes
    to_agent: bytes

    def __repr__(self) -> str:
        return "SessionKeys(***)"


def _exact(kind: type[T], data: bytes) -> T:
    if len(data) > MAX_HANDSHAKE_BYTES:
        raise fault(Fault.SIZE, f"{kind.__name__} is longer than {MAX_HANDSHAKE_BYTES} bytes")
    value = unpack(data)
    if type(value) is list and len(value) != len(fields_of(kind)):
        raise fault(Fault.MALFORMED, f"{kind.__name__} has another length")
    return read_row(kind, value)


def pack_hello(hello: Hello) -> bytes:
    """HELLO as it is sent."""
    return pack(hello)


def unpack_hello(data: bytes) -> Hello:
    """Read HELLO: exact length, exact types, a version in common.

    Raises:
        WireError: Size, Malformed, Depth or Version.
    """
    hello = _exact(Hello, data)
    if not hello.vmin <= VERSION <= hello.vmax:
        raise fault(Fault.VERSION, f"versions {hello.vmin}-{hello.vmax}, here {VERSION}")
    return hello


def pack_core(challenge: Challenge) -> bytes:
    """The signed part of CHALLENGE."""
    return pack(challenge)


def split_challenge(data: bytes) -> tuple[bytes, bytes]:
    """The signed part of a CHALLENGE and its proof, both as received.

    Raises:
        WireError: Size.
    """
    if not PROOF_BYTES < len(data) <= MAX_HANDSHAKE_BYTES:
        raise fault(Fault.SIZE, "not the size of a challenge")
    return data[:-PROOF_BYTES], data[-PROOF_BYTES:]


def unpack_core(core: bytes) -> Challenge:
    """Read the signed part of CHALLENGE; `verify` it first.

    Raises:
        WireError: Malformed, Depth or Version.
    """
    challenge = _exact(Challenge, core)
    if challenge.ver != VERSION:
        raise fault(Fault.VERSION, f"the brain speaks version {challenge.ver}, here {VERSION}")
    return challenge


def derive(secret: Secret, nonces: bytes, hello: bytes, core: bytes) -> SessionKeys:
    """Keys of the session both sides just agreed on; `nonces` is nonce_a then nonce_b."""
    th = transcript_hash(hello, core)
    prk = mac(nonces, secret.reveal())
    proof = mac(expand(prk, b"brain proof", th), th)
    return SessionKeys(
        proof, expand(prk, b"agent to brain", th), expand(prk, b"brain to agent", th)
    )


def nonce_of(core: bytes) -> bytes:
    """nonce_b of a challenge nobody has verified yet: needed to verify it.

    Raises:
        WireError: Auth; these bytes are no challenge a holder of the key made.
    """
    nonce = core[_NONCE_AT : _NONCE_AT + 32]
    if len(nonce) != PROOF_BYTES or core[_NONCE_AT - 2 : _NONCE_AT] != b"\xc4\x20":
        raise fault(Fault.AUTH, "not a challenge of a z4j brain")
    return nonce


_NONCE_AT = 22
"""array header 1, ver 1, brain_id 2 + 16, header of nonce_b 2."""


def verify(keys: SessionKeys, proof: bytes) -> None:
    """Let nothing pass but the proof of a brain that holds the key.

    Raises:
        WireError: Auth; wrong, retired or foreign key, or not our brain.
    """
    if not same(keys.proof, proof):
        raise fault(Fault.AUTH, "the brain did not prove that it holds this key")
