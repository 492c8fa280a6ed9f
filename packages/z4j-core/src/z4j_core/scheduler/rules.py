"""The rules of a schedule beside its trigger. The rule: what is here never moves a slot."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import read
from .moments import Json
from .read import Fields

_DAY_S = 86_400
_FOREVER_S = 10 * 366 * _DAY_S
OVERLAPS = ("allow", "skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other")


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
        return cls(
            fields.take("grace_s", read.whole(0, _DAY_S), 60),
            fields.take("catchup", read.choice("skip", "fire_one", "fire_all"), "fire_one"),
            fields.take("catchup_window_s", read.whole(10, _FOREVER_S), _DAY_S),
            fields.take("catchup_max", read.whole(1, 10_000), 100),
            fields.take("catchup_pick", read.choice("latest", "earliest"), "latest"),
            fields.take("overlap", read.choice(*OVERLAPS), "allow"),
            fields.take("max_running", read.whole(1, 10_000), 1),
            fields.take("overlap_timeout_s", read.whole(1, _FOREVER_S), 3_600),
            fields.take("pause_after_failures", read.whole(1, 10_000), None),
            fields.take("require_last_success", read.flag, default=False),
            fields.take("expires_after_s", read.whole(1, _FOREVER_S), None),
        )

    def json(self) -> Json:
        return asdict(self)


def read_rules(value: Any) -> Rules:
    """Rules from their document.

    Raises:
        ScheduleInvalid: with the pointer of the field that is wrong
    """
    fields = Fields(value, "rules")
    found = Rules.read(fields)
    fields.done()
    return found
