"""Passwords. The rule: argon2id in two threads, and a stranger costs as much time as a member."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from ..errors import Invalid, Problem

P = ParamSpec("P")
T = TypeVar("T")
SHORTEST, LONGEST = 12, 128
QUEUE = 16
_KNOWN = frozenset(
    [
        "password123",
        "password1234",
        "123456789012",
        "1234567890123",
        "qwertyuiop12",
        "qwertyuiopas",
        "passwordpassword",
        "iloveyou1234",
        "adminadminadmin",
        "administrator",
        "letmeinletmein",
        "correcthorsebatterystaple",
        "changemechangeme",
        "welcomewelcome",
        "qwertyqwerty",
    ]
)


def check_policy(password: str, email: str) -> None:
    """Refuse a password that is too short, too long, or guessed first.

    Raises:
        Invalid: `auth.password`.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        text = f"a password has {SHORTEST} to {LONGEST} characters"
        raise Invalid("auth.password", text, field="password")
    folded = password.casefold()
    few = len(set(folded)) < 5  # noqa: PLR2004 - fewer different characters than any word
    if few or folded in _KNOWN or folded == email.casefold():
        raise Invalid("auth.password", "this password is guessed first", field="password")


class Passwords:
    """Two threads that hash; `QUEUE` waiting requests, the next one is told to come back."""

    def __init__(self, pepper: bytes, entropy: Callable[[int], bytes]) -> None:
        self._pepper = pepper
        self._hasher = PasswordHasher(time_cost=2, memory_cost=47104, parallelism=1)
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="z4j-argon2")
        self._entropy = entropy
        self._waiting = 0
        self._dummy: str | None = None

    async def hash(self, password: str) -> str:
        """The string to store."""
        return await self._run(self.hash_now, password)

    def hash_now(self, password: str) -> str:
        """The string to store; takes about 70 ms in the calling thread."""
        return self._hasher.hash(self._peppered(password), salt=self._entropy(16))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; the time is the same when there is no account."""
        return await self._run(self._verify, stored, password)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        if self._dummy is None:
            self._dummy = self.hash_now("no account has this password")
        try:
            self._hasher.verify(stored or self._dummy, self._peppered(password))
        except (VerifyMismatchError, InvalidHashError):
            return False
        return stored is not None

    def _peppered(self, password: str) -> bytes:
        raw = password[: LONGEST * 2].encode("utf-8", "replace")
        return b64encode(hmac.digest(self._pepper, raw, sha256))

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._waiting >= QUEUE:
            raise Problem("auth.busy", "too many logins at once", status=429, retry_after_s=5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, partial(work, *args, **kwargs)
            )
        finally:
            self._waiting -= 1
