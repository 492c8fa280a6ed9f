"""What the root secret is good for. The rule: what outlives a root is random and wrapped.

Keys for one purpose are derived by HKDF-SHA256; stored secrets are AES-256-GCM-wrapped and bound
to their place, so a blob moved to another row does not open.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from z4j_core.errors import ConfigError

Entropy = Callable[[int], bytes]
_NONCE = 12


def derive(root: bytes, label: str) -> bytes:
    """32 bytes for one purpose (HKDF-SHA256, empty salt, one block)."""
    prk = hmac.digest(bytes(32), root, sha256)
    return hmac.digest(prk, b"z4j brain\0" + label.encode() + b"\x01", sha256)


class RootKeys:
    """The root secrets that open what they wrapped; one of them, `kid`, wraps what is new.

    That one is the current root, until `write_with` names another: while a fleet of brains is
    half restarted, nothing may be written that one of them cannot read.
    """

    __slots__ = ("_by_kid", "current", "kid")

    def __init__(self, root: bytes, previous: Sequence[bytes] = ()) -> None:
        self.current = self.kid = root_kid(root)
        self._by_kid = {self.kid: root} | {root_kid(old): old for old in previous}

    @property
    def kids(self) -> tuple[str, ...]:
        """Names of all roots that are configured, the current one first."""
        return tuple(self._by_kid)

    def learn(self, root: bytes, previous: Sequence[bytes]) -> None:
        """Take these roots instead; new rows are wrapped as before until `write_with`."""
        fresh = {root_kid(each): each for each in (root, *previous)}
        current = next(iter(fresh))
        if self.kid not in fresh:
            self.kid = current
        self._by_kid, self.current = fresh, current

    def write_with(self, kid: str) -> None:
        """Wrap with this root from now on; it is one of `kids`."""
        self.kid = kid

    def derive(self, label: str, kid: str | None = None) -> bytes:
        """32 bytes for one purpose, from the current root or the one named `kid`.

        Raises:
            ConfigError: that root is not configured.
        """
        return derive(self._root(kid or self.current), label)

    def wrap(self, place: str, plain: bytes, entropy: Entropy, kid: str | None = None) -> bytes:
        """Encrypt `plain` for `place` ("table|row|column") under the root named `kid`, or ours."""
        nonce, kid = entropy(_NONCE), kid or self.kid
        aad = f"{place}|{kid}".encode()
        return nonce + AESGCM(self.derive("db wrap", kid)).encrypt(nonce, plain, aad)

    def unwrap(self, kid: str, place: str, wrapped: bytes) -> bytes:
        """Decrypt what `wrap` made under the root named `kid`.

        Raises:
            ConfigError: that root is not configured, or the blob is not from this place.
        """
        box = AESGCM(self.derive("db wrap", kid))
        try:
            return box.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], f"{place}|{kid}".encode())
        except InvalidTag as error:
            raise ConfigError("Z4J-E604", f"a secret at {place} does not open") from error

    def _root(self, kid: str) -> bytes:
        root = self._by_kid.get(kid)
        if root is None:
            raise ConfigError("Z4J-E603", f"rows still need the root secret {kid}")
        return root


def root_kid(root: bytes) -> str:
    """Public name of a root secret, 8 hex digits."""
    return derive(root, "kid").hex()[:8]
