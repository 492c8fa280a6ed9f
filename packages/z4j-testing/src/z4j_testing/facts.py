"""What a rig was told of its tasks. The rule: the same questions of every engine, near or far."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from z4j_core import EventKind
from z4j_core.model.tasks import ENDS

from .engine import Seen
from .signals import WAIT_S

_FINAL = ENDS - {EventKind.RETRYING}


def numbered(facts: Sequence[Seen]) -> list[Seen]:
    """Facts of one task with their attempts, where the engine does not number them.

    A retry may have run before the attempt that asked for it was told of, so the attempt with more
    tries left is the earlier one; only where that does not tell do they count as they came.
    """
    retries = [(at, each) for at, each in enumerate(facts) if each.kind is EventKind.RETRYING]

    def attempt_of(at: int, seen: Seen) -> int:
        return 1 + sum(_is_before(retry, seen, came_first=i < at) for i, retry in retries)

    return [seen._replace(attempt=attempt_of(at, seen)) for at, seen in enumerate(facts)]


def _is_before(retry: Seen, seen: Seen, *, came_first: bool) -> bool:
    left, mine = retry.tries_left, seen.tries_left
    if left is None or mine is None or left == mine:
        return came_first
    return left > mine


class Facts:
    """Half of a rig: looks for facts and waits for them, as long as its engine may need.

    The other half, in this process or out of it, has `told`, `until` and `hook_errors`.
    """

    numbers_attempts = True
    patience_s = WAIT_S
    due_step_s = 0.05
    """How much earlier than it was asked to an engine may start what waits."""
    told: Callable[[str], list[Seen]]
    until: Callable[[Callable[[], list[Seen]], str, float], list[Seen]]
    hook_errors: Callable[[], Sequence[object]]

    def of(self, task_id: str) -> list[Seen]:
        """All facts of a task, as they came."""
        facts = self.told(task_id)
        return facts if self.numbers_attempts else numbered(facts)

    def wait(
        self, task_id: str, kind: EventKind, *, attempt: int | None = None,
        timeout_s: float | None = None,
    ) -> Seen:  # fmt: skip
        """Wait for the first fact of a kind."""

        def found() -> list[Seen]:
            return [s for s in self.of(task_id) if s.kind == kind and attempt in (None, s.attempt)]

        return self._first(found, f"{kind.name} of {task_id}", task_id, timeout_s)

    def end(self, task_id: str, *, timeout_s: float | None = None) -> Seen:
        """Wait for the fact that ends a task."""

        def found() -> list[Seen]:
            return [seen for seen in self.of(task_id) if seen.kind in _FINAL]

        return self._first(found, f"an end of {task_id}", task_id, timeout_s)

    def _first(
        self, found: Callable[[], list[Seen]], what: str, task_id: str, timeout_s: float | None
    ) -> Seen:
        try:
            return self.until(found, what, timeout_s or self.patience_s)[0]
        except AssertionError as error:
            known = [(seen.kind.name, seen.attempt) for seen in self.of(task_id)]
            raise AssertionError(
                f"{error}; known: {known}, failed hooks: {list(self.hook_errors())[-2:]}"
            ) from error
