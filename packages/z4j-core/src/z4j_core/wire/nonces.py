"""Nonces already used. The rule: a nonce seen twice in a day means a broken random generator."""

from __future__ import annotations

from .codes import CloseCode, Fault, fault

_DAY_S = 86_400.0


class Nonces:
    """Remembers nonces of proven agents for a day, at most `capacity` of them, oldest out first."""

    __slots__ = ("_capacity", "_seen")

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._seen: dict[bytes, float] = {}

    def use(self, cred_id: bytes, nonce: bytes, now: float) -> None:
        """Take note of a nonce; `now` is seconds of a monotonic clock.

        Raises:
            WireError: Auth; this credential used the nonce less than a day ago.
        """
        name = cred_id + nonce
        used = self._seen.pop(name, None)
        self._seen[name] = now
        while len(self._seen) > self._capacity:
            del self._seen[next(iter(self._seen))]
        if used is not None and now - used < _DAY_S:
            raise fault(Fault.AUTH, "a nonce was used twice: broken randomness", CloseCode.AUTH)
