"""Which schedule is meant, and which rows there are. The rule: a name that two have is neither."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ..remote import FAILED, Failure, Remote

Row = Mapping[str, Any]
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOST = 200


def found(remote: Remote, text: str) -> Row:
    """The one schedule with this id or name, in full.

    Raises:
        Failure: there is none, or more than one.
    """
    if _ID.fullmatch(text.lower()):
        return _row(remote, text.lower())
    query = f"name:{json.dumps(text, ensure_ascii=False)}"
    rows = [row for row in pages(remote, "schedules", 1000, q=query) if row["name"] == text]
    if not rows:
        raise Failure(FAILED, f"no schedule {text!r}")
    if len(rows) > 1:
        many = ", ".join(f"{row['id']} ({row['engine']} {row['app']})" for row in rows)
        raise Failure(FAILED, f"more than one schedule {text!r}: {many}")
    return _row(remote, str(rows[0]["id"]))


def pages(remote: Remote, path: str, limit: int, **query: Any) -> Iterator[Row]:
    """Rows of a list, page by page, at most `limit`."""
    cursor, left = None, limit
    while left > 0:
        page = remote.get(path, cursor=cursor, limit=min(left, _MOST), **query)
        yield from page["items"]
        cursor, left = page["next"], left - len(page["items"])
        if not cursor or not page["items"]:
            return


def below(row: Row, rest: str = "") -> str:
    """The path of a schedule, or of something below it."""
    return f"schedules/{quote(str(row['id']))}{f'/{rest}' if rest else ''}"


def calendar(name: str) -> str:
    """The path of a calendar."""
    return f"calendars/{quote(name, safe='')}"


def _row(remote: Remote, schedule_id: str) -> Row:
    row: Row = remote.get(below({"id": schedule_id}))
    return row
