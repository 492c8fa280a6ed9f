"""Whether schedules would fire from here, and go on without the brain. The rule: the store says.

Nothing is led and nothing is written: the store is asked one question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...agent.hosting.choice import Place, choose
from ...agent.policy import CLOSED, PolicyError, parse_policy
from ...agent.seat import permits
from ...clock import Clock
from ...config import Settings
from ...engine import Engine
from ...errors import ConfigError, StoreError
from ...scheduler.lease import LeaseStore, group_of
from ...scheduler.leases.calls import Answer, Status
from .report import Failure, Said

_NO_ONE = "Z4J-E305"


def may_fire(settings: Settings) -> None:
    """Whether a process with these settings may lead at all.

    Raises:
        Failure: Z4J-E305, and what forbids it.
    """
    if settings.scheduler == "off":
        raise Failure(_NO_ONE, "Z4J_SCHEDULER is off: schedules are fired by other processes only")
    try:
        policy = parse_policy(settings.allow)
    except PolicyError:
        policy = CLOSED
    if not permits(policy):
        text = f"the policy {policy.text} permits no fire: Z4J_ALLOW needs at least control"
        raise Failure(_NO_ONE, text)


def tell(engine: Engine, settings: Settings, clock: Clock) -> Said:
    """The lease store of an engine's group, and what becomes of fires while the brain is away.

    Raises:
        Failure: Z4J-E305 nobody may fire from here; Z4J-E014 the store that is set cannot be used;
            Z4J-E309 it does not answer.
    """
    may_fire(settings)
    group = group_of(settings.dsn.project if settings.dsn else "", engine.name, engine.app)
    place = Place(settings, engine, group, settings.spool_dir or "", _unasked, clock.boottime)
    try:
        store = choose(place)
        if not store.survives_brain:
            return Said(_in_the_brain(), is_warning=True)
        store.cursors()
    except ConfigError as error:
        raise Failure(error.code, error.text) from error
    except StoreError as error:
        raise Failure("Z4J-E309", f"the lease store does not answer: {error}") from error
    risk = _risk(store)
    store.close()
    text = f"leases in {store.kind}, fires go on while the brain is away"
    return Said(f"{text}; {risk}", "Z4J-E302", is_warning=True) if risk else Said(text)


def _in_the_brain() -> str:
    return (
        "leases in brain: fires stop when the brain is away and catch up by policy; to go on "
        "without it set Z4J_LEASE_STORE to a Redis or PostgreSQL URL"
    )


def _risk(store: LeaseStore) -> str | None:
    if store.kind != "redis":
        return None
    find: Any = getattr(store, "eviction_risk", None)
    return find() if find is not None else None


def _unasked(_op: int, _args: Sequence[Any]) -> Answer:
    return Answer(Status.UNAVAILABLE, ("doctor does not ask",))
