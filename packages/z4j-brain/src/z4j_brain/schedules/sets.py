"""Declared sets over HTTP: compared, and applied. The rule: whoever applies may edit schedules."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from ..web.ask import Ask
from ..web.rights import authorize
from ..web.route import PROJECT, Table
from . import declared
from .api import DEEPEST, by_of, new_id, told
from .declared import Set
from .written import Json, wrong

ENDPOINTS = Table()
_LONGEST_TAG = 64


class SetBody(msgspec.Struct, forbid_unknown_fields=True):
    """Schedules by name under a tag; `engine` and `app` are those of schedules that name none."""

    tag: str
    schedules: dict[str, Any]
    engine: str | None = None
    app: str | None = None
    prune: Literal["disable", "delete", "none"] = "disable"
    on_drift: Literal["keep", "overwrite", "fail"] = "keep"


async def _set(ask: Ask) -> Set:
    body = await ask.body(SetBody, DEEPEST)
    if not 1 <= len(body.tag) <= _LONGEST_TAG or not body.tag.isprintable():
        raise wrong("schedule.bounds", "/tag", "no tag", f"write 1 to {_LONGEST_TAG} characters")
    if len(body.schedules) > declared.MOST:
        text = f"more than {declared.MOST} schedules"
        raise wrong("schedule.bounds", "/schedules", text, "use several tags")
    return Set(
        ask.project.id, body.tag, body.engine, body.app, body.schedules, body.prune, body.on_drift
    )


@ENDPOINTS.post(f"{PROJECT}/schedules/diff", "schedule.read", takes=SetBody)
async def diff(ask: Ask) -> Json:
    """What applying a set would do."""
    wanted = await _set(ask)

    def work(conn: Connection) -> Json:
        return declared.plan(conn, wanted).shown()

    return await ask.brain.db.read(work)


@ENDPOINTS.post(f"{PROJECT}/schedules/apply", "schedule.edit", takes=SetBody)
async def apply(ask: Ask) -> Json:
    """Make schedules what a set declares, all of it or nothing."""
    wanted = await _set(ask)
    if wanted.prune == "delete":
        authorize(ask.principal, "schedule.delete", ask.project)
    by, ids = by_of(ask), [new_id(ask.brain) for _ in wanted.documents]

    def work(conn: Connection) -> Json:
        found = declared.plan(conn, wanted).shown()
        declared.apply(conn, wanted, by, ids)
        return found

    found = await ask.brain.db.write(work)
    told(ask, "*")
    return found
