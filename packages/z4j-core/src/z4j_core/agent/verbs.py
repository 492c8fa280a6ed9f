"""The table of verbs: their parameters and how one target is done.

The rule: an unknown verb or parameter is refused, never guessed.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import Refused
from ..model.commands import Scope, Stop, TargetCode
from ..model.tasks import Job
from .items import Previews

MAX_ARGS_BYTES = 64 << 10
MAX_ARGS_DEPTH = 16
MASKED = re.compile(r'\[redacted\]|…"|"… \d+ more"')
Check = Callable[[Any], bool]


class Done(NamedTuple):
    """What became of one target."""

    code: TargetCode = TargetCode.OK
    new_id: str | None = None
    evidence: Any = None


class Call(NamedTuple):
    """One verb on one target."""

    engine: Any
    target: str
    params: Mapping[str, Any]
    scope: Scope
    previews: Previews


@dataclass(frozen=True, slots=True)
class Verb:
    """One row of the table."""

    act: Callable[[Call], Done]
    params: Mapping[str, Check]
    about: str = "task"
    read_only: bool = False


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_ARGS_BYTES


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _true(value: Any) -> bool:
    return value is True


def _rate(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _stop(answer: Any) -> Done:
    return Done(_CODE_OF_STOP.get(answer, TargetCode.OK), evidence=str(answer or Stop.DONE))


_CODE_OF_STOP = {Stop.NOT_HERE: TargetCode.NOT_HERE, Stop.ALREADY: TargetCode.ALREADY}
_STOP_RANK = (Stop.DONE, Stop.ASKED, Stop.ALREADY, Stop.NOT_HERE)


def halves(method: Callable[..., Any], target: Any, scope: Scope, **more: Any) -> Any:
    """Call a verb once per half of its scope that was asked for, and merge the answers."""
    if "scope" not in inspect.signature(method).parameters:
        return method(target, **more)
    answers = [method(target, scope=half, **more) for half in Scope if half & scope]
    stops = [answer for answer in _STOP_RANK if answer in answers]
    return stops[0] if stops else answers[-1]


def _cancel(call: Call) -> Done:
    return _stop(halves(call.engine.cancel, call.target, call.scope))


def _terminate(call: Call) -> Done:
    return _stop(
        halves(
            call.engine.terminate, call.target, call.scope, signal=call.params.get("signal", "TERM")
        )
    )


def _requeue(call: Call) -> Done:
    return Done(new_id=call.engine.requeue(call.params.get("queue", ""), call.target))


def _pause(call: Call) -> Done:
    halves(call.engine.pause, call.target, call.scope)
    return Done()


def _resume(call: Call) -> Done:
    halves(call.engine.resume, call.target, call.scope)
    return Done()


def _rate_limit(call: Call) -> Done:
    call.engine.rate_limit(call.target, call.params.get("per_second"))
    return Done()


def _pool(call: Call) -> Done:
    return Done(evidence={"slots": call.engine.pool(call.target, call.params.get("delta", 0))})


def _restart(call: Call) -> Done:
    call.engine.restart(call.target)
    return Done()


def _depth(call: Call) -> Done:
    depth = call.engine.depth(call.target)
    names = ("ready", "delayed", "unacked", "dead", "consumers", "oldest_s")
    return Done(evidence={key: getattr(depth, key) for key in names})


def _purge(call: Call) -> Done:
    seen = call.params.get("depth")
    if seen is not None and callable(getattr(call.engine, "depth", None)):
        now = call.engine.depth(call.target).ready or 0
        if now - seen > max(10, seen // 10):
            raise Refused(
                "policy.confirm_stale", f"{call.target}: {seen} at the preview, {now} now"
            )
    return Done(evidence={"purged": call.engine.purge(call.target)})


def _enqueue(call: Call) -> Done:
    return Done(
        new_id=call.engine.enqueue(
            typed_job(call.target, call.params, names=known_tasks(call.engine))
        )
    )


def known_tasks(engine: Any) -> set[str]:
    """Names of the tasks in the app's own registry."""
    return {task.name for task in engine.discover()}


def typed_job(task: str, params: Mapping[str, Any], names: set[str]) -> Job:
    """The job an operator typed, as JSON text.

    Raises:
        Refused: unknown task, too large, or a masked value: previews are never input.
    """
    if task not in names:
        raise Refused("policy.unknown_task", f"{task} is not registered in this app")
    args = json_value(params.get("args", "[]"), list)
    kwargs = json_value(params.get("kwargs", "{}"), dict)
    eta, expires = params.get("eta"), params.get("expires")
    return Job(
        task=task,
        args=tuple(args),
        kwargs=kwargs,
        id=params.get("id"),
        queue=params.get("queue"),
        priority=params.get("priority"),
        eta=None if eta is None else eta / 1e6,
        expires=None if expires is None else expires / 1e6,
    )


def json_value(given: Any, kind: type) -> Any:
    """A list or an object that came as JSON text, or as what it says.

    Raises:
        Refused: too large, a masked value, or something else.
    """
    try:
        text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused("command.params", f"arguments are no JSON: {error}") from error
    if len(text.encode("utf-8", "replace")) > MAX_ARGS_BYTES:
        raise Refused("policy.args_size", f"more than {MAX_ARGS_BYTES} bytes")
    if MASKED.search(text):
        raise Refused("policy.masked_value", "a preview is no input: a value is masked or cut")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused("command.params", f"arguments are no JSON: {error}") from error
    if not isinstance(value, kind):
        raise Refused("command.params", f"arguments must be a JSON {kind.__name__}")
    if _deeper(value, MAX_ARGS_DEPTH):
        raise Refused("policy.args_size", f"more than {MAX_ARGS_DEPTH} levels")
    return value


def _deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return levels == 0 or any(_deeper(item, levels - 1) for item in value)


_SCOPE = {"scope": _number}
_JOB = {
    "args": _text, "kwargs": _text, "id": _text, "queue": _text, "priority": _number,
    "eta": _number, "expires": _number,
}  # fmt: skip

VERBS: Mapping[str, Verb] = {
    "cancel": Verb(_cancel, _SCOPE),
    "terminate": Verb(_terminate, {**_SCOPE, "signal": lambda v: v in ("TERM", "KILL")}),
    "requeue": Verb(_requeue, {"queue": _text}),
    "enqueue": Verb(_enqueue, _JOB),
    "pause": Verb(_pause, {**_SCOPE, "again": _true}, about="queue"),
    "resume": Verb(_resume, _SCOPE, about="queue"),
    "purge": Verb(_purge, {"depth": _number, "confirm": _text}, about="queue"),
    "rate_limit": Verb(_rate_limit, {"per_second": _rate}),
    "pool": Verb(_pool, {"delta": _number}, about="worker"),
    "restart": Verb(_restart, {}, about="worker"),
    "depth": Verb(_depth, {}, about="queue", read_only=True),
}
"""Verbs that change something, and depth; `lookups` has those that only look."""


def checked(params: Mapping[str, Any], known: Mapping[str, Check]) -> None:
    """Refuse parameters that are unknown or of another type.

    Raises:
        Refused: `command.params` with the name.
    """
    for key, value in params.items():
        if key not in known or not known[key](value):
            raise Refused("command.params", f"parameter {key!r} is unknown or has a wrong type")
