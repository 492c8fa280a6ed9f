"""The lease store an engine offers, under the suite of lease stores.

The rule: it is asked as a leader asks it. What takes two processes is proved of the class itself,
and so is, but for a soak, what does not depend on how the engine's client was made: each engine's
store is one class over another client, which matters to what is written and read back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from z4j_core.clock import SystemClock
from z4j_core.scheduler.lease import LeaseStore

from .. import leases
from ..leases import Bench, TestClaims, TestSnapshot

__all__ = [
    "TestClaims", "TestFence", "TestGuard", "TestLeading", "TestRuns", "TestSnapshot",
    "lease_bench",
]  # fmt: skip


class TestFence(leases.TestFence):
    """Writes of a leader that no longer leads."""

    pytestmark = pytest.mark.soak


class TestGuard(leases.TestGuard):
    """First starts."""

    pytestmark = pytest.mark.soak


class TestLeading(leases.TestLeading):
    """Acquire, renew, release."""

    pytestmark = pytest.mark.soak


class TestRuns(leases.TestRuns):
    """What workers tell."""

    pytestmark = pytest.mark.soak


@contextmanager
def lease_bench(engine: Any, client: Any) -> Iterator[Bench]:
    """The store an engine offers for a group of nobody's; `client` is one of the same Redis."""
    mine, made = f"project/{engine.name}/{os.urandom(8).hex()}", list[LeaseStore]()

    def make(group: str | None = None, **settings: Any) -> LeaseStore:
        store: LeaseStore = engine.lease_store(group or mine, SystemClock().boottime)
        assert store.kind == "redis"
        for name, value in settings.items():
            setattr(store, f"_{name}", value)
        made.append(store)
        return store

    def wipe() -> None:
        for key in list(client.scan_iter(f"z4j:{{{mine}}}:*", 1000)):
            client.delete(key)

    try:
        yield Bench(make, wipe)
    finally:
        for each in made:
            each.close()
        wipe()
        client.close()
