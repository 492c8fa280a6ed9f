"""Keeping an engine's own message so that a failed run can be sent again.

The rule: bytes are moved and never decoded; a record that is not the one that was kept is refused,
and what was not kept is never approximated.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from ..errors import StoreError

__all__ = ["KEPT_S", "MAX_RECORD_BYTES", "RecordTooLarge", "ReplayRecord", "ReplayStore", "checked"]

MAX_RECORD_BYTES = 64 * 1024
KEPT_S = 7 * 86_400


class RecordTooLarge(StoreError):
    """The message is larger than a record may be. Nothing was kept."""

    code = "store.record_too_large"


@dataclass(frozen=True, slots=True)
class ReplayRecord:
    """One kept message. `until_us` is wall clock microseconds; it is gone after that."""

    engine: str
    app: str
    task_id: str
    task: str
    body: bytes
    sha256: bytes
    until_us: int


class ReplayStore(Protocol):
    """Where messages are kept. Called from the agent's thread, never from a hook.

    Every method raises StoreUnavailable when the store does not answer.
    """

    @property
    def kind(self) -> str:
        """`redis` when any agent of the app can read it, `host` when only this host can."""
        ...

    def put(
        self, engine: str, app: str, task_id: str, task: str, body: bytes, until_us: int, /
    ) -> None:
        """Keep a message; a later one of the same run replaces it.

        Raises:
            RecordTooLarge: nothing was kept.
        """
        ...

    def get(self, engine: str, app: str, task_id: str, /) -> ReplayRecord | None:
        """The message kept for a run, None when there is none.

        Raises:
            StoreError: what is there is not what was kept.
        """
        ...

    def drop(self, engine: str, app: str, task_id: str, /) -> None:
        """Forget the message of a run, if there is one."""
        ...

    def close(self) -> None:
        """Let go of connections; idempotent."""
        ...


def checked(body: bytes) -> bytes:
    """The SHA-256 of a body that may be kept.

    Raises:
        RecordTooLarge: it is over the limit.
    """
    if len(body) > MAX_RECORD_BYTES:
        raise RecordTooLarge(f"the message has {len(body)} bytes, {MAX_RECORD_BYTES} may be kept")
    return hashlib.sha256(body).digest()
