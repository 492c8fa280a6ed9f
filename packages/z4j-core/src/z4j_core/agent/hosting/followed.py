"""A lease store whose answers are listened to. The rule: the newest snapshot is everybody's.

Each answer about the lease says which snapshot the store has. Where it is newer than what is held
here, it is taken from there; where it is older, it is put there: so a leader that the brain does
not reach follows edits all the same, and so does a container that never saw the brain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...scheduler.lease import Acquired, Lease, Refusal

_OLDER = "older_snapshot"


class Followed:
    """Every call of a `LeaseStore`; `seen` hears the revision the store has."""

    def __init__(self, store: Any, seen: Callable[[str], object]) -> None:
        self._store = store
        self._seen = seen
        self.lease: Lease | None = None
        """The lease as of the last call about it; None when somebody else has it."""
        self.refused = ""
        """Why this process does not lead; empty when it does, or never asked."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def acquire(self, owner: str, *, ttl_ms: int, fp: str, rev: str) -> Acquired:
        """Become the leader, or hear why not."""
        self.lease = None
        found: Acquired = self._store.acquire(owner, ttl_ms=ttl_ms, fp=fp, rev=rev)
        if isinstance(found, Refusal):
            self.refused = found.reason
        else:
            self.lease, self.refused = found, ""
        self._seen(found.rev)
        return found

    def renew(self, lease: Lease, *, ttl_ms: int) -> Lease:
        """Hold it for longer."""
        self.lease = None
        found: Lease = self._store.renew(lease, ttl_ms=ttl_ms)
        self.lease = found
        self._seen(found.rev)
        return found

    def release(self, lease: Lease) -> None:
        """Give it back."""
        self.lease = None
        self._store.release(lease)
