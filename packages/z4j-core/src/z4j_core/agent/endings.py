"""How a session ended, for whoever dials next. The rule: one reading of it, whatever dials."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import Away, ConfigError, WireError
from .link import Closed
from .reconnect import AWAY, CAUSES, ELSEWHERE, KEY_REFUSED, STEADY_S

Ended = ConfigError | Away | Closed | WireError
ENDS = (ConfigError, Away, Closed, WireError)
"""What a session may raise when it ends."""


class Ending(NamedTuple):
    """The row of `CAUSES`, 0 for none, and what operators are told; an empty code is nothing."""

    cause: int = 0
    code: str = ""
    text: str = ""


def ending_of(error: Ended, open_s: float) -> Ending:
    """What an error means that ended a session which was open for so many seconds, 0 for never.

    One that went on for a while was not ended by the way it took, whatever was answered last.
    """
    if isinstance(error, ConfigError):
        return Ending(KEY_REFUSED, error.code, error.text)
    if isinstance(error, Away):
        return Ending(0, error.code, str(error))
    if isinstance(error, Closed):
        is_elsewhere = error.close_code == ELSEWHERE and open_s < STEADY_S
        cause = ELSEWHERE if is_elsewhere else 0
        return Ending(cause, CAUSES.get(cause, AWAY).code, f"the connection ended: {error}")
    return Ending(error.close_code, CAUSES.get(error.close_code, AWAY).code, str(error))
