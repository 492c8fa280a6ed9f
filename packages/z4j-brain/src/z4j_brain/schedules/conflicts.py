"""Two editors of one schedule. The rule: who edits names the revision it was made from.

The second of two hears, field by field, what it was, what they wanted and what is there now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row

from ..errors import Problem
from . import store
from .written import Json, changes, state_of


def matched(conn: Connection, row: Row[Any], said: str, patch: Mapping[str, Any]) -> None:
    """Refuse an edit that was made from another revision.

    Raises:
        Problem: 428 `schedule.precondition`, 412 `schedule.conflict` with the fields that differ.
    """
    if not said:
        text = 'send If-Match: "<revision>" with the revision you edited'
        raise Problem("schedule.precondition", text, status=428)
    number = said.removeprefix("W/").strip('"')
    if said == "*" or number == str(row.revision):
        return
    known = number.isascii() and number.isdigit() and len(number) <= 18  # noqa: PLR2004 - of 64 bits
    old = store.revision(conn, row.id, int(number)) if known else None
    raise Problem(
        "schedule.conflict", "somebody changed it meanwhile", status=412, revision=row.revision,
        fields=differing(old, state_of(row), patch),
    )  # fmt: skip


def differing(old: Row[Any] | None, theirs: Json, yours: Mapping[str, Any]) -> list[Json]:
    """Fields changed on either side: what they were, what you want, what is there now."""
    base = theirs if old is None else json.loads(old.state)
    mine = {**base, **{name: yours[name] for name in yours if name in base}}
    names = {name for name, _, _ in [*changes(base, mine), *changes(base, theirs)]}
    return [
        {"field": name, "base": base.get(name), "yours": mine.get(name), "theirs": theirs.get(name)}
        for name in sorted(names)
    ]
