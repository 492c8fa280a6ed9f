"""Fires as the ledger tells of them. Numbers are those of the wire."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What became of a fire."""

    CLAIMED = 1
    BUFFERED = 2
    SENT = 3
    SKIPPED = 4
    MISSED = 5
    EXPIRED = 6
    REFUSED = 7
    FAILED = 8
    SUPPRESSED = 9


class Why(IntEnum):
    """What made a fire due."""

    TIMER = 1
    MANUAL = 2
    CATCHUP = 3
    BACKFILL = 4
    REPLAY = 5
    ON_START = 6
