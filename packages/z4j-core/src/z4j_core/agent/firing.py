"""Fires by command. The rule: what was not declared by the app needs the right to run anything.

`admit` is asked before each fire, whoever decided it: the brain, or a leader with a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from ..clock import Clock
from ..errors import EngineError, Indeterminate, Refused
from ..invoke import Answering
from ..model.fires import Status, Why
from ..model.tasks import Job
from ..scheduler.fires import RESERVED, digest, is_fire, mark
from .items import Source
from .ledger import fire_line
from .policy import Policy
from .verbs import Check, Done, checked, json_value, known_tasks

Invocation = tuple[str, list[Any], dict[str, Any]]
"""Task, args, kwargs."""


class Registered:
    """Invocations that the app itself declared, by digest: in code, or in a native schedule."""

    def __init__(self) -> None:
        self._by_source: dict[str, frozenset[bytes]] = {}

    def learn(self, source: str, declared: Iterable[Invocation]) -> None:
        """What a source declares from now on, instead of what it did before."""
        self._by_source[source] = frozenset(digest(*each) for each in declared)

    def __contains__(self, invocation: Invocation) -> bool:
        found = digest(*invocation)
        return any(found in known for known in self._by_source.values())


def admit(
    policy: Policy, registered: Registered, names: Callable[[], set[str]], invocation: Invocation
) -> None:
    """Let a fire pass, by the local policy alone; `names` are those of the app's tasks.

    Raises:
        Refused: policy.level, policy.args_not_registered or policy.unknown_task.
    """
    task = invocation[0]
    verdict = policy.decide("fire", task)
    if not verdict.allowed:
        raise Refused("policy.level", "fire is not permitted here", rule=verdict.rule)
    if invocation in registered:
        return
    verdict = policy.decide("enqueue", task)
    if not verdict.allowed:
        raise Refused(
            "policy.args_not_registered",
            f"{task} with these arguments is not declared by the app: that needs the level run",
            rule=verdict.rule,
        )
    if task not in names():
        raise Refused("policy.unknown_task", f"{task} is not registered in this app")


class Order(NamedTuple):
    """One fire as the brain orders it; times in ms, `expires` seconds since 1970."""

    fire_id: str
    schedule: str
    generation: int
    slot: int
    nonce: str | None
    trigger: int
    revision: int
    actor: str | None
    invocation: Invocation
    job: Job


def read_order(params: Mapping[str, Any]) -> Order:
    """The order in the parameters of a command.

    Raises:
        Refused: `command.params`, or `policy.args_changed`: these are not the arguments approved.
    """
    given = params.get("invocation", {})
    checked(given, _INVOCATION)
    missing = {"schedule", "fire_id", "invocation"} - set(params) or {"task"} - set(given)
    if missing:
        raise Refused("command.params", f"parameter {min(missing)!r} is missing")
    args = json_value(given.get("args", []), list)
    kwargs = json_value(given.get("kwargs", {}), dict)
    invocation = (given["task"], args, kwargs)
    approved = params.get("digest")
    if approved is not None and approved not in (found := digest(*invocation), found.hex()):
        raise Refused("policy.args_changed", "these are not the arguments that were approved")
    fire, options = _uuid(params["fire_id"]), json_value(given.get("options", {}), dict)
    if not is_fire(fire):
        raise Refused("command.params", "'fire_id' is not the id of a fire")
    if reserved := RESERVED & set(options):
        raise Refused("command.params", f"option {min(reserved)!r} is z4j's own")
    expires = params.get("expires")
    job = Job(
        given["task"], tuple(args), kwargs, fire, given.get("queue"), given.get("priority"),
        expires=None if expires is None else expires / 1e6, fire=mark(fire, 1), options=options,
        headers=json_value(given.get("headers", {}), dict),
    )  # fmt: skip
    return Order(
        fire, _uuid(params["schedule"]), params.get("generation", 0), params.get("slot", 0),
        params.get("nonce"), params.get("trigger", int(Why.MANUAL)), params.get("revision", 0),
        params.get("actor"), invocation, job,
    )  # fmt: skip


def place(
    engine: Any, source: Source, order: Order, clock: Clock, tell: Callable[[Any], object]
) -> Done:
    """Place a fire; `tell` gets its lines of the ledger: claimed, then what came of it.

    Raises:
        EngineError: it was not placed, or nobody knows.
    """
    claimed_us = clock.wall_us()
    is_timed = order.trigger in (Why.TIMER, Why.CATCHUP, Why.ON_START)
    due_us = order.slot * 1000 if is_timed else claimed_us
    known = {
        "schedule": UUID(order.schedule).bytes, "generation": order.generation,
        "slot": order.slot, "nonce": order.nonce, "trigger": order.trigger,
        "revision": order.revision, "actor": order.actor, "due": due_us,
    }  # fmt: skip

    def line(status: Status, **more: Any) -> None:
        at_us = clock.wall_us()
        lag_ms = max(at_us - due_us, 0) // 1000
        tell(fire_line(source, at_us, order.fire_id, status, lag_ms=lag_ms, **known, **more))

    line(Status.CLAIMED)
    try:
        sent = Answering(engine).enqueue(order.job)
    except (EngineError, TimeoutError) as error:
        code = error.code if isinstance(error, EngineError) else Indeterminate.code
        line(Status.FAILED, reason=f"{code}: {error}"[:256])
        raise
    line(Status.SENT)
    return Done(new_id=sent)


def names_of(engine: Any) -> Callable[[], set[str]]:
    """Asks an engine for the names of its tasks."""
    return lambda: known_tasks(engine)


def _uuid(value: Any) -> str:
    try:
        return str(UUID(bytes=value) if isinstance(value, bytes) else UUID(value))
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused("command.params", "not a UUID") from error


def _text(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= 256)  # noqa: PLR2004


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _maybe_number(value: Any) -> bool:
    return value is None or _number(value)


def _id(value: Any) -> bool:
    return isinstance(value, str | bytes)


def _any(_value: Any) -> bool:
    return True


_INVOCATION: Mapping[str, Check] = {
    "task": lambda value: isinstance(value, str) and _text(value), "args": _any, "kwargs": _any,
    "queue": _text, "priority": _maybe_number, "options": _any, "headers": _any,
}  # fmt: skip
PARAMS: Mapping[str, Check] = {
    "schedule": _id, "fire_id": _id, "generation": _number, "slot": _number, "nonce": _text,
    "trigger": lambda value: value in tuple(Why), "revision": _number, "actor": _text,
    "digest": _id, "expires": _maybe_number,
    "invocation": lambda value: isinstance(value, dict),
}  # fmt: skip
