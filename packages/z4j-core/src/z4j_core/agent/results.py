"""RESULT items. The rule: the state of a command follows from the codes of its targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ..errors import TaskNotFound
from ..invoke import Outcome
from ..model.commands import ResultState, TargetCode
from .items import TAG_RESULT
from .journal import Entry
from .verbs import Done

MAX_DETAIL = 2048


class Target(NamedTuple):
    """What became of one target; `place` is its index, `reason` a dotted code."""

    place: int
    code: TargetCode
    new_id: str | None = None
    reason: str = ""
    detail: str = ""
    rule: str = ""
    evidence: Any = None


_GOOD = frozenset({TargetCode.OK, TargetCode.ALREADY, TargetCode.NOT_HERE})
_STATE_OF_BAD = {
    TargetCode.REFUSED: ResultState.REFUSED,
    TargetCode.INDETERMINATE: ResultState.INDETERMINATE,
}


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a command."""

    state: ResultState
    code: str = ""
    detail: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    rule: str = ""
    took_ms: int = 0

    @classmethod
    def of(cls, targets: Sequence[Target]) -> Result:
        """The result that follows from what became of each target."""
        bad = [target for target in targets if target.code not in _GOOD]
        first = bad[0] if bad else None
        evidence = {str(t.place): t.evidence for t in targets if t.evidence is not None}
        return cls(
            state=_state(targets, bad),
            code=first.reason if first else "",
            detail=first.detail if first else "",
            evidence=evidence,
            targets=tuple(targets),
            rule=first.rule if first else "",
        )

    def timed(self, took_ms: int) -> Result:
        """The same, with how long it took."""
        return replace(self, took_ms=took_ms)

    def noting(self, text: str) -> Result:
        """The same, with a sentence added to the detail."""
        return replace(self, detail="; ".join(filter(None, (self.detail, text))))


def _state(targets: Sequence[Target], bad: Sequence[Target]) -> ResultState:
    if not bad:
        return ResultState.DONE
    if any(target.code is TargetCode.INDETERMINATE for target in bad):
        return ResultState.INDETERMINATE
    if len(bad) < len(targets):
        return ResultState.PARTIAL
    states = {_STATE_OF_BAD.get(target.code, ResultState.FAILED) for target in bad}
    return states.pop() if len(states) == 1 else ResultState.FAILED


def result_item(cmd_id: bytes, result: Result, at_us: int) -> tuple[Any, ...]:
    """The RESULT item of a command."""
    return (
        TAG_RESULT,
        at_us,
        cmd_id,
        int(result.state),
        result.code,
        result.detail[:MAX_DETAIL],
        result.evidence,
        [
            [t.place, int(t.code), t.new_id, (t.detail or t.reason)[:200] or None]
            for t in result.targets
        ],
        result.rule or None,
        result.took_ms,
    )


_CODES = {
    TaskNotFound.code: TargetCode.NOT_FOUND,
    "replay.missing": TargetCode.NO_REPLAY_RECORD,
    "replay.expired": TargetCode.NO_REPLAY_RECORD,
    "engine.indeterminate": TargetCode.INDETERMINATE,
}


def target_of(outcome: Outcome) -> Target:
    """What the outcome of one call means for its target."""
    if outcome.ok:
        done = outcome.value if isinstance(outcome.value, Done) else Done(evidence=outcome.value)
        return Target(0, done.code, done.new_id, evidence=done.evidence)
    refused = outcome.code.startswith(("policy.", "command."))
    code = _CODES.get(outcome.code, TargetCode.REFUSED if refused else TargetCode.FAILED)
    return Target(0, code, reason=outcome.code, detail=outcome.detail, rule=outcome.rule)


def interrupted(entry: Entry) -> Result:
    """The honest result of a command that was cut off by the death of its process."""
    targets = []
    for index in range(entry.total):
        if index in entry.codes:
            code, new_id = entry.codes[index]
            targets.append(Target(index, TargetCode(code), new_id))
        elif index in entry.begun:
            targets.append(Target(index, TargetCode.INDETERMINATE, reason="engine.indeterminate"))
        else:
            targets.append(Target(index, TargetCode.NOT_STARTED, reason="engine.unavailable"))
    return Result.of(targets).noting("the process ended while it carried this out")
