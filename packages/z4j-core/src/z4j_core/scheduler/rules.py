"""The rules of a schedule beside its trigger. The rule: what is here never moves a slot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from . import read
from .moments import Json
from .read import Fields

_DAY_S = 86_400
_FOREVER_S = 10 * 366 * _DAY_S
OVERLAPS = ("allow", "skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other")

_READERS: Mapping[str, Callable[[Any], Any]] = {
    "grace_s": read.whole(0, _DAY_S),
    "catchup": read.choice("skip", "fire_one", "fire_all"),
    "catchup_window_s": read.whole(10, _FOREVER_S),
    "catchup_max": read.whole(1, 10_000),
    "catchup_pick": read.choice("latest", "earliest"),
    "overlap": read.choice(*OVERLAPS),
    "max_running": read.whole(1, 10_000),
    "overlap_timeout_s": read.whole(1, _FOREVER_S),
    "pause_after_failures": read.whole(1, 10_000),
    "require_last_success": read.flag,
    "expires_after_s": read.whole(1, _FOREVER_S),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Lateness, catch-up, overlap, failures and expiry, as scheduling.md names them."""

    grace_s: int = 60
    catchup: str = "fire_one"
    catchup_window_s: int = _DAY_S
    catchup_max: int = 100
    catchup_pick: str = "latest"
    overlap: str = "allow"
    max_running: int = 1
    overlap_timeout_s: int = 3_600
    pause_after_failures: int | None = None
    require_last_success: bool = False
    expires_after_s: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> Rules:
        """From the fields of a schedule."""
        given = fields.given(_READERS)
        return cls(**given) if given else USUAL_RULES

    def json(self) -> Json:
        return asdict(self)


USUAL_RULES = Rules()
"""Those of a schedule that names none; there is one of them for all."""


def read_rules(value: Any) -> Rules:
    """Rules from their document.

    Raises:
        ScheduleInvalid: with the pointer of the field that is wrong
    """
    fields = Fields(value, "rules")
    found = Rules.read(fields)
    fields.done()
    return found
