"""What may be asked of an engine, where it can be done, and what may be answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag, StrEnum


class Capability(StrEnum):
    """A verb: its value is the method of an engine and the name on the wire."""

    ENQUEUE = "enqueue"
    FETCH = "fetch"
    RETRY = "retry"
    REQUEUE = "requeue"
    CANCEL = "cancel"
    TERMINATE = "terminate"
    PURGE = "purge"
    DEPTH = "depth"
    PEEK = "peek"
    DEAD_LETTERS = "dead_letters"
    PAUSE = "pause"
    RESUME = "resume"
    RATE_LIMIT = "rate_limit"
    WORKERS = "workers"
    POOL = "pool"
    RESTART = "restart"


class Scope(IntFlag):
    """Who can carry a verb out."""

    BROKER = 1
    """Any one agent of the engine and broker."""
    PROCESS = 2
    """Only the process that holds the run: sent to every owner that may hold it."""


class Stop(StrEnum):
    """Answer of cancel and terminate."""

    DONE = "done"
    ASKED = "asked"
    NOT_HERE = "not_here"
    ALREADY = "already"


class ResultState(IntEnum):
    """State of a command as the agent reports it (wire numbers)."""

    ACCEPTED = 1
    DONE = 2
    PARTIAL = 3
    REFUSED = 4
    FAILED = 5
    EXPIRED = 6
    INDETERMINATE = 7
    DUPLICATE = 8


class TargetCode(IntEnum):
    """What became of one target of a command (wire numbers)."""

    OK = 0
    NOT_HERE = 1
    ALREADY = 2
    REFUSED = 3
    FAILED = 4
    NOT_FOUND = 5
    NO_REPLAY_RECORD = 6
    INDETERMINATE = 7
    NOT_STARTED = 8
    ABORTED = 9


class Level(IntEnum):
    """How much the brain may do here; each level contains those below."""

    OBSERVE = 0
    CONTROL = 1
    RUN = 2
    ALL = 3


LEVEL_OF_VERB: dict[str, Level] = {
    "fetch": Level.OBSERVE,
    "depth": Level.OBSERVE,
    "peek": Level.OBSERVE,
    "workers": Level.OBSERVE,
    "dead_letters": Level.OBSERVE,
    "reconcile": Level.OBSERVE,
    "retry": Level.CONTROL,
    "requeue": Level.CONTROL,
    "cancel": Level.CONTROL,
    "pause": Level.CONTROL,
    "resume": Level.CONTROL,
    "rate_limit": Level.CONTROL,
    "fire": Level.CONTROL,
    "enqueue": Level.RUN,
    "purge": Level.ALL,
    "terminate": Level.ALL,
    "pool": Level.ALL,
    "restart": Level.ALL,
}
"""Lowest level of the local policy that permits a verb."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a broker promises: decides whether the brain may call a silent run lost.

    `redelivers_after_s` None: at most once. `known` False: the engine cannot tell.
    """

    known: bool = True
    redelivers_after_s: float | None = None
