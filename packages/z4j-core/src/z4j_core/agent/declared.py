"""Schedules that the app's code declares. The rule: a wrong one is told and left out, none raises.

Where none is declared the reader of the format is not loaded. A set is read once: what it was when
it was first said holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..config import Fault, Settings

if TYPE_CHECKING:
    from ..scheduler.declare import Reading
    from .process import Process

CODE = "Z4J-E130"
SOURCE = "code"
_read: list[tuple[Mapping[str, Any], str, Reading]] = []
"""The set of this process, the usual tag, and what was read."""


def reading(settings: Settings) -> Reading | None:
    """The declared set and its faults; None where nothing is declared.

    The app's name is the tag of a set that gives none.
    """
    if not settings.schedules:
        return None
    given, tag = settings.schedules, settings.app or ""
    if not _read or _read[0][0] is not given or _read[0][1] != tag:
        from ..scheduler.declare import read_declared  # noqa: PLC0415 - not where none is declared

        _read[:] = [(given, tag, read_declared(given, tag))]
    return _read[0][2]


def schedule_faults(settings: Settings) -> tuple[Fault, ...]:
    """What is wrong with the declared schedules, each with its pointer."""
    found = reading(settings)
    faults = found.faults if found is not None else ()
    return tuple((CODE, f"SCHEDULES{error.pointer}: {error}") for error in faults)


def learn(process: Process) -> None:
    """Register what code declares: these tasks with these arguments fire at level `control`."""
    found = reading(process.settings)
    if found is not None:
        process.registered.learn(SOURCE, found.declared.invocations())
