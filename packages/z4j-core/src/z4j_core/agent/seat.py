"""Which process of a host may lead a group. The rule: one per host, and none that is soon gone.

The lock is of POSIX, not `flock`: a forked child would inherit that, and keep the seat of a parent
that died for as long as its own job runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from ..config import Settings
from .policy import Policy

GROWN_UP_S = 30.0
"""Commands that end sooner than this never lead."""


class Seat:
    """The only place on a host for a group; `path` None: this process shares no directory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._fd = -1
        self.is_taken = False

    def take(self) -> bool:
        """Sit down unless another process sits there; whether this one does."""
        if not self.is_taken:
            self.is_taken = self._path is None or self._lock(self._path)
        return self.is_taken

    def leave(self) -> None:
        """Let another process sit down."""
        self.is_taken = False
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _lock(self, path: Path) -> bool:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            fd = os.open(path, flags, 0o600)
        except OSError:
            return False
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with contextlib.suppress(OSError):
                os.close(fd)
            return False
        self._fd = fd
        return True


def permits(policy: Policy) -> bool:
    """Whether any schedule at all may be fired here."""
    return any(rule.permits("fire") for rule in policy.rules)


def objection(settings: Settings, policy: Policy, role: str, age_s: float) -> str:
    """Why this process may not lead a group by now; empty when it may."""
    if settings.scheduler == "off":
        return "Z4J_SCHEDULER is off"
    if not permits(policy):
        return f"the policy {policy.text} permits no fire: Z4J_ALLOW needs level control"
    if settings.scheduler == "auto" and role != "worker" and age_s < GROWN_UP_S:
        return "it is no worker and younger than 30 s"
    return ""
