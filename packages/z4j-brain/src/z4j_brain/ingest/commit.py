"""What a commit changed, for those who show it. The rule: said after the commit, never before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Changed(NamedTuple):
    """A task whose row changed, and its new version."""

    ref: str
    v: int


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """What one commit changed in one project. `counters`: attempts that ended, by state name."""

    project_id: str
    changed: tuple[Changed, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    bulks: tuple[str, ...] = ()
    workers: bool = False
    queues: bool = False
    agents: bool = False
    schedules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit: `position` grows with each in this process, `at_us` is the wall clock."""

    position: int
    at_us: int
    projects: tuple[ProjectChange, ...]


OnCommit = Callable[[CommitInfo], None]


def nobody(_info: CommitInfo) -> None:
    """The listener of a brain that shows nothing."""
