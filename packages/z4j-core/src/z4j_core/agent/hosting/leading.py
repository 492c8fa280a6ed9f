"""The leader of a group, put into this process. The rule: what it is handed is all it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from ...config.settings import LEASE_TTL_S
from ...scheduler.leader import Loop, Settings
from ...scheduler.lease import LeaseStore
from .choice import fingerprint
from .followed import Followed
from .home import Home
from .placing import Placing

TTL_MS = 12_000
_SHORTEST_MS, _LONGEST_MS = (1000 * seconds for seconds in LEASE_TTL_S)


def lead(home: Home, store: Followed) -> Loop:
    """Start to lead a group, or to stand by."""
    loop = Loop(
        cast("LeaseStore", store), Placing(home), home.clock, settings_of(home), home.entropy
    )
    loop.start()
    return loop


def settings_of(home: Home) -> Settings:
    """How this process leads: a lease lasts as the app says, else as the brain does."""
    held, own, journal = home.shelf.held, home.settings.lease_ttl_s, ""
    brains = ttl_of(held.store if held is not None else None)
    if home.directory:
        journal = str(Path(home.directory) / "sched" / f"{home.name}.slots")
    return Settings(
        owner=str(UUID(bytes=home.entropy(16), version=4)),
        fp=fingerprint(home.emitter.engine),
        ttl_ms=brains if own is None else own * 1000,
        release=home.settings.release,
        journal=journal,
    )


def ttl_of(store: Mapping[str, Any] | None) -> int:
    """How long a lease lasts without being renewed, in ms; the snapshot may say it."""
    wanted: Any = (store or {}).get("ttl_ms")
    if not isinstance(wanted, int):
        return TTL_MS
    return min(max(wanted, _SHORTEST_MS), _LONGEST_MS)
