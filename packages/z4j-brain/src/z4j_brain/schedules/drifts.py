"""What was edited here since a file declared it. The rule: an edit is given up only field by field.

To keep an edit nothing has to be done here: applying the file again leaves it. That it is drift no
more takes the file's owner, so the page shows what to write there.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import Connection, Row
from starlette.responses import Response

from ..errors import Invalid
from ..web.ask import Ask, json_text
from ..web.cursor import seal, unseal
from ..web.numbers import ms
from ..web.route import PROJECT, Table
from . import conflicts, service, shapes, store
from .api import SCHEDULE
from .moves import changed
from .service import By
from .written import Json, state_of

ENDPOINTS = Table()
DEFAULT_LIMIT, MOST = 50, 200
READ = 500
REVISIONS = 200


class RedeclareBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which fields shall be what the file says."""

    fields: list[str]


@ENDPOINTS.get(f"{PROJECT}/schedules/drift", "schedule.read", query=("cursor", "limit"))
async def drift(ask: Ask) -> Json:
    """Declared schedules of which a field was edited here, by name."""
    limit = max(ask.number("limit", DEFAULT_LIMIT, MOST), 1)
    key, purpose = ask.brain.roots.derive("cursor"), f"drift|{ask.project.id}"
    after: tuple[str, str] | None = None
    if cursor := ask.text("cursor"):
        name, schedule_id = unseal(key, purpose, cursor, 2)
        after = (str(name), str(schedule_id))

    def work(conn: Connection) -> Json:
        rows, more = _drifted(conn, ask.project.id, after, limit)
        items = [_json(conn, row, args_visible=ask.args_visible) for row in rows]
        last = seal(key, purpose, [rows[-1].name, rows[-1].id]) if more else None
        declared = store.how_many(conn, store.declared(ask.project.id))
        return {"items": items, "next": last, "declared": declared}

    return await ask.brain.db.read(work)


def _drifted(
    conn: Connection, project_id: str, after: tuple[str, str] | None, limit: int
) -> tuple[list[Row[Any]], bool]:
    """The next schedules that have drifted, and whether there are more behind them."""
    found: list[Row[Any]] = []
    where = store.declared(project_id)
    while True:
        page = store.page(conn, where, after, READ)
        for row in page:
            if shapes.drift(row):
                if len(found) == limit:
                    return found, True
                found.append(row)
        if len(page) < READ:
            return found, False
        after = (page[-1].name, page[-1].id)


def _json(conn: Connection, row: Row[Any], *, args_visible: bool) -> Json:
    revisions = store.revisions(conn, row.id, REVISIONS)
    return {
        "id": row.id, "name": row.name, "engine": row.engine, "app": row.app, "owner": row.owner,
        "revision": row.revision,
        "fields": [
            _field(each, revisions, is_visible=args_visible or each["field"] not in shapes.HIDDEN)
            for each in shapes.drift(row)
        ],
    }  # fmt: skip


def _field(drifted: Json, revisions: list[Row[Any]], *, is_visible: bool) -> Json:
    """One field: what the file says and what is here, as JSON texts; and who made it so."""
    name = drifted["field"]
    by = next((each for each in revisions if _touches(each, name)), None)
    return {
        "field": name,
        "declared": json_text(drifted["declared"]) if is_visible else None,
        "now": json_text(drifted["now"]) if is_visible else None,
        "by": None if by is None else by.by, "at": None if by is None else ms(by.at),
    }  # fmt: skip


def _touches(revision: Row[Any], name: str) -> bool:
    return any(field == name for field, _, _ in json.loads(revision.changes))


@ENDPOINTS.post(f"{SCHEDULE}/redeclare", "schedule.edit", takes=RedeclareBody)
async def redeclare(ask: Ask) -> Response:
    """Make fields what the file says; If-Match names the revision they were compared at."""
    body = await ask.body(RedeclareBody)
    said = ask.request.headers.get("if-match", "")

    def work(conn: Connection, by: By, row: Row[Any]) -> Row[Any]:
        declared: Json = json.loads(row.declared or "{}")
        unknown = [name for name in body.fields if name not in declared]
        if unknown or not body.fields:
            text = f"the file says nothing of {', '.join(unknown) or 'no field'}"
            raise Invalid("request.invalid", text, field="fields")
        patch = {name: declared[name] for name in body.fields}
        conflicts.matched(conn, row, said, state_of(row) | patch)
        return service.edit(conn, by, row, patch, action="schedule.redeclare")

    return await changed(ask, work)
