"""What was swallowed, dropped or could not be written. The rule: nothing is lost silently."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..model.tasks import STATE_OF_KIND, EventKind


@dataclass(slots=True)
class Counters:
    """Counts of this process since it started."""

    hook_errors: int = 0
    unwritten: int = 0
    replay_dropped: int = 0
    verb_errors: int = 0
    guard_skipped: int = 0
    """Starts of scheduled runs that nobody could be asked about."""
    shed_by_state: dict[str, int] = field(default_factory=dict)

    def shed(self, kind: EventKind) -> None:
        """Count a fact the brain asked not to be told."""
        state = STATE_OF_KIND[kind].name.lower()
        self.shed_by_state[state] = self.shed_by_state.get(state, 0) + 1

    def take_shed(self) -> dict[str, int]:
        """Counts of shed facts by state since the last call."""
        taken, self.shed_by_state = self.shed_by_state, {}
        return taken
