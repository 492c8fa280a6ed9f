"""Where a group is fired from. The rule: what fires reaches the agent through this alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...clock import Clock
from ...config import Settings
from ...scheduler.lease import group_of
from ...scheduler.leases.calls import Answer
from ...spool import hash8
from ..boundary import Emitter
from ..firing import Registered
from ..policy import Policy
from ..shelf import Shelf
from .choice import Place

NONE = "none"


def pinned(store: Mapping[str, Any] | None) -> str:
    """Which store a snapshot pins: `brain`, `none`, or empty for the one the app chooses."""
    if not store:
        return ""
    if store.get("mode") == "central":
        return NONE
    kind = store.get("kind")
    return kind if kind in ("brain", NONE) else ""


class Say(Protocol):
    """Tells operators of trouble, or that it is over."""

    def __call__(self, code: str, text: str, *, is_over: bool = False) -> object:
        """Tell it here and to the brain."""
        ...


@dataclass(frozen=True, slots=True)
class Home:
    """One group of one process.

    `ask` asks the brain as a lease store, `note` tells operators, `write` appends a control item,
    `registered` is what the app declared itself, `brain_ms` the time by the brain's clock,
    `refresh` asks the brain for all it has of the group. `directory` is shared by the processes of
    this host, empty where there is none.
    """

    emitter: Emitter
    shelf: Shelf
    policy: Policy
    settings: Settings
    clock: Clock
    entropy: Callable[[int], bytes]
    directory: str
    ask: Callable[[int, Sequence[Any]], Answer]
    note: Say
    write: Callable[[bytes], object]
    registered: Registered
    brain_ms: Callable[[], int | None]
    refresh: Callable[[], object]

    @property
    def group(self) -> str:
        """The name of the group in a store."""
        dsn = self.settings.dsn
        return group_of(dsn.project if dsn is not None else "", *self.emitter.source)

    @property
    def name(self) -> str:
        """The name of the group's files."""
        return hash8(*self.emitter.source)

    @property
    def place(self) -> Place:
        """Where its store is looked for."""
        engine, boottime = self.emitter.engine, self.clock.boottime
        held = self.shelf.held
        wanted = pinned(held.store if held is not None else None)
        return Place(self.settings, engine, self.group, self.directory, self.ask, boottime, wanted)
