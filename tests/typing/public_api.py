"""What type checkers know of the public names. mypy reads this; nobody runs it.

A line that must be an error carries an ignore: mypy's strict mode reports one that is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_type

import z4j
from z4j_core import Capability, Engine, EventKind, Job, Scope, TaskEvent, capabilities
from z4j_core.agent import Handle


def starting() -> None:
    """`init` gives a handle; a DSN is text."""
    assert_type(z4j.init(), Handle)
    assert_type(z4j.init(dsn="http://127.0.0.1", allow="observe"), Handle)
    z4j.init("http://127.0.0.1")  # type: ignore[call-arg]  # keywords only
    z4j.init(dsn=7)  # type: ignore[arg-type]


def observing(app: object) -> None:
    """`instrument` gives the engine."""
    assert_type(z4j.instrument(app), Engine)


def asking(engine: Engine) -> None:
    """Capabilities are read, not written."""
    known = capabilities(engine)
    assert_type(known, Mapping[Capability, Scope])
    known[Capability.RETRY] = Scope.BROKER  # type: ignore[index]


def stating() -> None:
    """A fact has a kind and an id; a job never changes."""
    TaskEvent(EventKind.STARTED, "id")
    TaskEvent("started", "id")  # type: ignore[arg-type]
    job = Job("shop.charge")
    job.task = "shop.refund"  # type: ignore[misc]


@z4j.options(headline=["order_id"], idempotent=True)
def charge(order_id: int) -> str:
    """An option changes no signature."""
    return str(order_id)


assert_type(charge(7), str)
charge("7")  # type: ignore[arg-type]
