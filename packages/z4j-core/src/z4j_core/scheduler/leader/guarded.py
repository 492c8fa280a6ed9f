"""The host, called so that nothing it raises gets any further. The rule: trouble is told once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from ...invoke import Outcome
from ...model.tasks import Job
from .contract import End, FireFact, Found, Host, Snapshot

FAILED = "Z4J-E307"
"""Something the scheduler needs failed, and is tried again."""


class Tried(NamedTuple):
    """What a call gave, or what it raised."""

    value: Any = None
    error: Exception | None = None


def tried(call: Callable[[], Any]) -> Tried:
    """Make a call that must not end a thread of the leader."""
    try:
        return Tried(call())
    except Exception as error:  # told by who asked, and tried again
        return Tried(error=error)


class Guarded:
    """A host that never raises; what it raised is told by `note`, once until it is well."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._told: set[str] = set()

    def snapshot(self) -> Snapshot | None:
        """The newest proven schedules."""
        return self._host.snapshot()

    def brain_ms(self) -> int | None:
        """The time by the brain's clock, where it is known."""
        try:
            return self._host.brain_ms()
        except Exception as error:  # as if it was never heard
            self.trouble("brain", FAILED, f"asking for the brain's clock: {error!r}")
            return None

    def refresh(self) -> None:
        """Ask the brain how far schedules have come; without an answer what is known holds."""
        try:
            self._host.refresh()
        except Exception as error:  # what is known here is used
            self.trouble("refresh", FAILED, f"asking the brain: {error!r}")

    def place(self, job: Job, enq: int, deadline_s: float) -> Outcome:
        """Enqueue a job; an error means that nobody knows whether it was."""
        try:
            return self._host.place(job, enq, deadline_s)
        except Exception as error:  # whatever a host raises is an answer
            self.trouble("place", FAILED, f"placing a fire: {error!r}")
            return Outcome(code="engine.indeterminate", detail=repr(error)[:200])

    def end(self, fire_id: str, how: End) -> None:
        """End a run."""
        try:
            self._host.end(fire_id, how)
        except Exception as error:  # the run ends by itself, or time runs out
            self.trouble("end", FAILED, f"ending a run: {error!r}")

    def fetch(self, fire_id: str) -> Found:
        """What the engine knows of a fire."""
        try:
            return self._host.fetch(fire_id)
        except Exception as error:  # an engine that cannot be asked knows nothing
            self.trouble("fetch", FAILED, f"asking for a fire: {error!r}")
            return Found.UNKNOWN

    def tell(self, fact: FireFact) -> None:
        """Write a line of the ledger."""
        try:
            self._host.tell(fact)
        except Exception as error:  # a full disk stops no fire
            self.trouble("tell", FAILED, f"writing the ledger: {error!r}")

    def trouble(self, about: str, code: str, text: str) -> None:
        """Tell of trouble, unless that was told since it was well."""
        if about in self._told:
            return
        self._told.add(about)
        with suppress(Exception):
            self._host.note(code, text)

    def well(self, about: str, code: str = "", text: str = "") -> None:
        """Trouble is over; with a code that is told as well, once."""
        if about in self._told and code:
            with suppress(Exception):
                self._host.note(code, text, is_over=True)
        self._told.discard(about)
