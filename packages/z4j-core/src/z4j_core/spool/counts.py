"""What a writer counts. The rule: a fact is written, or it is dropped and told as lost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Counts of this process since start or fork. `dropped` facts are or will be LOST items.

    `why` says in words what kept the last of them from being written.
    """

    written: int = 0
    dropped: int = 0
    rotations: int = 0
    reopened: int = 0
    why: str = ""


@dataclass(slots=True)
class Loss:
    """Facts dropped in a row for one reason; times are wall clock microseconds."""

    reason: int
    n: int
    first: int
    last: int
