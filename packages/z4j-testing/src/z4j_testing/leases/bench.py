"""What the suite of lease stores is given. The rule: every store it makes is of one fresh group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid5

from z4j_core.scheduler.fires import fire_id
from z4j_core.scheduler.lease import Claim, Lease, LeaseStore, Refusal, rev_text

from ..signals import eventually

TTL_MS = 60_000
"""Longer than a test lasts."""
FP = "0123456789abcdef0123456789abcdef"
NO_REV = ""
SLOT_MS = 1_800_000_000_000


class Maker(Protocol):
    """Makes a store of the bench's group, also in another process: it can be pickled."""

    def __call__(self, **settings: Any) -> LeaseStore: ...


class Closing:
    """A maker whose stores are closed at the end; another process gets the bare maker."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._made: list[LeaseStore] = []

    def __call__(self, **settings: Any) -> LeaseStore:
        self._made.append(self._maker(**settings))
        return self._made[-1]

    def __reduce__(self) -> tuple[Callable[[Maker], Maker], tuple[Maker]]:
        return (_itself, (self._maker,))

    def close(self) -> None:
        """Close every store that was made here."""
        for store in self._made:
            store.close()


def _itself(maker: Maker) -> Maker:
    return maker


class Bench(NamedTuple):
    """One service and one group.

    `make` opens another store of the group; `settings` are `unseen_ms` and `guard_s`. `wipe` loses
    all the service knows of the group. `gone` opens a store whose service does not answer, and
    `back` brings that service up; None where a service cannot be gone.
    """

    make: Maker
    wipe: Callable[[], None]
    gone: Callable[[], LeaseStore] | None = None
    back: Callable[[], None] | None = None


def lead(store: LeaseStore, owner: str = "one", ttl_ms: int = TTL_MS, **given: Any) -> Lease:
    """Become the leader, who must be free."""
    found = ask(store, owner, ttl_ms, **given)
    assert isinstance(found, Lease), found
    return found


def refused(store: LeaseStore, owner: str = "two", **given: Any) -> Refusal:
    """Ask for the lease, which must not be given."""
    found = ask(store, owner, **given)
    assert isinstance(found, Refusal), found
    return found


def ask(
    store: LeaseStore, owner: str, ttl_ms: int = TTL_MS, fp: str = FP, rev: str = rev_text(9, 9)
) -> Lease | Refusal:
    """Ask for the lease."""
    return store.acquire(owner, ttl_ms=ttl_ms, fp=fp, rev=rev)


def after(store: LeaseStore, owner: str = "two") -> Lease:
    """Become the leader once the lease of the one before has run out."""

    def found() -> Lease | None:
        answer = ask(store, owner)
        return answer if isinstance(answer, Lease) else None

    return eventually(found, "the lease to run out")


def schedule(number: int = 0) -> str:
    """The id of a schedule."""
    return str(uuid5(UUID(int=7), str(number)))


def slot(number: int = 0, minute: int = 0, generation: int = 1, **fields: Any) -> Claim:
    """A claim of one slot of one schedule."""
    given: Mapping[str, Any] = {"record": b"\x00rec\xff:" + bytes((number % 256,)), **fields}
    name, slot_ms = schedule(number), SLOT_MS + minute * 60_000
    return Claim(name, generation, slot_ms, fire_id(name, generation, slot_ms), **given)
