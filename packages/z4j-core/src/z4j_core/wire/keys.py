"""Key ids, secrets and keys derived from them. The rule: a secret shows itself to nobody.

A key id is `z4k_` and base32 of cred_id 16, kid 1, check 3; a secret `z4s_` and base32 of secret
32, check 3. The checks tell a typing error from a wrong key without the network.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import zlib
from typing import Any, NamedTuple

from ..errors import ConfigError
from .codes import PROTOCOL

_KEY_ID = re.compile(r"z4k_[a-z2-7]{32}")
_SECRET = re.compile(r"z4s_[a-z2-7]{56}")
_LABEL = b"z4j.key"


class Secret:
    """32 secret bytes. Copies are the same object; a pickle holds nothing."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes themselves.

        Raises:
            ConfigError: this one came out of a pickle, which carries no secrets.
        """
        if not self._value:
            raise ConfigError("Z4J-E103", "the secret does not travel in a pickle; read the DSN")
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(Secret)

    def __reduce__(self) -> tuple[type[Secret], tuple[bytes]]:
        return (Secret, (b"",))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self


class KeyId(NamedTuple):
    """Which key of which credential."""

    cred_id: bytes
    kid: int

    def __str__(self) -> str:
        return encode_key_id(self)


class Credential(NamedTuple):
    """What an agent proves itself with."""

    cred_id: bytes
    kid: int
    secret: Secret


def _check(*parts: bytes) -> bytes:
    return (zlib.crc32(_LABEL + b"".join(parts)) >> 8).to_bytes(3, "big")


def _text(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def _bytes(text: str) -> bytes:
    return base64.b32decode(text.upper())


def encode_key_id(key: KeyId) -> str:
    """`key` as people copy it."""
    body = key.cred_id + bytes((key.kid,))
    return "z4k_" + _text(body + _check(body))


def encode_secret(key: KeyId, secret: Secret) -> str:
    """The secret of `key` as people copy it; shown once."""
    value = secret.reveal()
    return "z4s_" + _text(value + _check(key.cred_id, bytes((key.kid,)), value))


def parse_key_id(text: str) -> KeyId:
    """The key a key id names.

    Raises:
        ConfigError: Z4J-E101 for a wrong shape, Z4J-E102 for a typing error.
    """
    text = text.lower()
    if not _KEY_ID.fullmatch(text):
        raise ConfigError("Z4J-E101", "a key id is z4k_ and 32 letters or digits 2-7")
    raw = _bytes(text[4:])
    if _check(raw[:17]) != raw[17:]:
        raise ConfigError("Z4J-E102", "typo in the key id: copy it again")
    return KeyId(raw[:16], raw[16])


def parse_secret(key: KeyId, text: str) -> Secret:
    """The secret of `key`.

    Raises:
        ConfigError: Z4J-E101 for a wrong shape, Z4J-E103 for a typing error or the
            secret of another key.
    """
    text = text.lower()
    if not _SECRET.fullmatch(text):
        raise ConfigError("Z4J-E101", "a secret is z4s_ and 56 letters or digits 2-7")
    raw = _bytes(text[4:])
    if _check(key.cred_id, bytes((key.kid,)), raw[:32]) != raw[32:]:
        raise ConfigError("Z4J-E103", "typo in the secret, or the secret of another key")
    return Secret(raw[:32])


def length_prefixed(data: bytes) -> bytes:
    """`data` behind its length, so that no two concatenations are alike."""
    return len(data).to_bytes(4, "big") + data


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, data, "sha256")


def same(one: bytes, other: bytes) -> bool:
    """Whether two MACs are equal, in constant time."""
    return hmac.compare_digest(one, other)


def expand(prk: bytes, label: bytes, context: bytes) -> bytes:
    """One block of HKDF-Expand under a label of the protocol. Source: RFC 5869."""
    info = b"".join(map(length_prefixed, (PROTOCOL.encode(), label, context)))
    return mac(prk, info + b"\x01")


def snapshot_key(credential: Credential) -> bytes:
    """The key that seals schedule snapshots for one key of a credential."""
    prk = mac(bytes(32), credential.secret.reveal())
    return expand(prk, b"snapshot", credential.cred_id + bytes((credential.kid,)))


def decoy_secret(decoy_root: bytes, key: KeyId) -> Secret:
    """The stand-in for the secret of a key that does not exist, the same at every try.

    `decoy_root` is 32 bytes derived from the brain's root under the label "decoy".
    """
    return Secret(mac(decoy_root, key.cred_id + bytes((key.kid,))))


def transcript_hash(hello: bytes, core: bytes) -> bytes:
    """SHA-256 over everything said before the first key."""
    parts = (PROTOCOL.encode(), b"handshake", hello, core)
    return hashlib.sha256(b"".join(map(length_prefixed, parts))).digest()
