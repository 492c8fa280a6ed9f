"""arq's cron as a text. The rule: the words are the parameters of `arq.cron`, and mean the same.

arq has sets, not texts: `hour={9,17} minute=30 weekday=mon` is what its call says. A second that is
not named is 0, everything else that is not named is every value. The microsecond is taken and
means nothing here: a slot is the second it is in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import ScheduleInvalid
from .dialects import BOUNDS, Dialect
from .fields import read_column
from .written import Column

_COLUMNS: Mapping[str, str] = {
    "month": "month",
    "day": "dom",
    "weekday": "dow",
    "hour": "hour",
    "minute": "minute",
    "second": "second",
}
# The names of arq that are not three letters long.
_NAMES: Mapping[str, str] = {"tues": "tue", "thurs": "thu"}
_WORD = re.compile(r"([a-z]+)=\{?([0-9a-z,]+)\}?", re.ASCII)


def columns_of_arq(text: str, known: Dialect) -> dict[str, Column]:
    """The columns of a text in arq's words.

    Raises:
        ScheduleInvalid: schedule.cron_syntax
    """
    columns = {name: _every(name) for name in _COLUMNS.values()}
    columns["second"] = Column("0", {0})
    at = 1
    for word in text.split():
        at = text.index(word, at - 1) + 1
        match = _WORD.fullmatch(word)
        if match is None or match[1] not in (*_COLUMNS, "microsecond"):
            raise ScheduleInvalid(
                "schedule.cron_syntax",
                f"column {at}: cannot read {word[:40]!r}",
                hint=f"write name=value or name={{1,2}} with {', '.join(_COLUMNS)}",
                pointer="/expr",
                column=at,
            )
        if match[1] != "microsecond":
            name = _COLUMNS[match[1]]
            columns[name] = read_column(known, name, _NAMES.get(match[2], match[2]), at)
        at += len(word)
    return columns


def _every(name: str) -> Column:
    low, high = BOUNDS[name]
    return Column("*", set(range(low, high + 1)))
