"""One group, as a process stands to it. The rule: what it asks of its process is written here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ..clock import Clock
from ..config import Settings
from ..spool import Spool
from ..wire.bodies import Want
from .boundary import Emitter
from .hosting.home import NONE, Home, pinned
from .hosting.tracked import tracked
from .seat import Seat
from .shelf import Shelf

if TYPE_CHECKING:
    from .braintime import BrainTime
    from .errands import Errands
    from .firing import Registered
    from .items import Source

SCHEDULES = 64
"""Kind of WANT."""


class Host(Protocol):
    """What serves a group: fires, or stands by to, where it leads, and tells of runs."""

    @property
    def leads(self) -> bool:
        """Whether it may fire."""
        ...

    def note(self, body: bytes) -> None:
        """Look at an item that was written by this process or a child of it."""
        ...

    def stop(self, timeout_s: float) -> None:
        """Hand over and end; waits at most `timeout_s` seconds, 0 from the agent's thread.

        To hand over may need that thread.
        """
        ...


class Surroundings(Protocol):
    """What groups ask of their process."""

    settings: Settings
    clock: Clock
    brain_time: BrainTime
    entropy: Callable[[int], bytes]
    emitters: list[Emitter]
    spool: Spool | None
    role: str
    is_child: bool
    is_connected: bool
    changed: threading.Event
    stopping: threading.Event
    errands: Errands
    registered: Registered

    @property
    def path(self) -> str:
        """Where the stream of this process is."""
        ...

    def control(self, body: bytes) -> None:
        """Keep an item of class 1 for the brain."""
        ...

    def note(
        self, code: str, text: str, *, source: Source | None = None, is_over: bool = False
    ) -> None:
        """Say something that an operator should know, here and to the brain."""
        ...


class Open(Protocol):
    """Starts what serves a group."""

    def __call__(self, home: Home, *, leads: bool) -> Host: ...


class Standing:
    """How this process stands to one group."""

    def __init__(self, emitter: Emitter, shelf: Shelf, seat: Seat) -> None:
        self.emitter = emitter
        self.source = emitter.source
        self.shelf = shelf
        self.seat = seat
        self.is_candidate = False
        self.host: Host | None = None
        self.host_pinned = ""
        self.newest: tuple[int, int] = (0, 0)
        """Era and revision that the brain named last."""
        self.asked_at = 0.0
        self.wants_anew = False
        """Whether the brain is to be asked for all it has, although nothing there is newer."""
        self._tracked: tuple[tuple[int, int], bool] = ((0, 0), False)

    @property
    def pinned(self) -> str:
        """Which store the brain wants for this group: `brain`, `none`, or empty for our own.

        `none` also where a scheduler that runs by itself fires: nothing of it is ours then.
        """
        held = self.shelf.held
        return pinned(held.store if held is not None else None)

    def has_runs_to_tell(self) -> bool:
        """Whether runs of this process matter to a schedule."""
        held = self.shelf.held
        if held is None or not self.emitter.workers or self.pinned == NONE:
            return False
        if self._tracked[0] != held.stand:
            self._tracked = (held.stand, bool(tracked(held.schedules)))
        return self._tracked[1]

    def wants(self) -> list[Want]:
        """What to ask the brain for, if it has more than is held."""
        if self.is_candidate and self.wants_anew:
            self.wants_anew = False
            return [Want(SCHEDULES, *self.source, 0)]
        if not self.is_candidate or self.newest <= self.shelf.stand:
            return []
        era, revision = self.shelf.stand
        have = revision if era == self.newest[0] else 0
        return [Want(SCHEDULES, *self.source, have)]
