"""Schedules over HTTP: made, changed, previewed. The rule: an edit names its revision."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row
from starlette.responses import Response

from ..errors import Forbidden, Problem
from ..web.answers import answer
from ..web.ask import Ask
from ..web.context import Brain
from ..web.cursor import seal, unseal
from ..web.rights import needs_step_up
from ..web.route import PROJECT, Table
from . import conflicts, previews, query, service, shapes, store, warnings
from .service import By, New
from .store import Place
from .written import Json, schedule_id, wrong

ENDPOINTS = Table()
DEFAULT_LIMIT, MOST = 100, 200
DEEPEST = 24
SCHEDULE = f"{PROJECT}/schedules/{{id}}"


def new_id(brain: Brain) -> str:
    """A fresh id of a schedule."""
    return schedule_id(brain.new_id())


def by_of(ask: Ask) -> By:
    """Who acts, and when."""
    who, brain = ask.principal, ask.brain
    return By(
        project_id=ask.project.id, name=who.name, via=who.via, now_us=brain.now_us(),
        entry_id=brain.new_id(),
        user_id=who.user_id,
    )  # fmt: skip


def shown(conn: Connection, ask: Ask, row: Row[Any]) -> Json:
    """One schedule as the API shows it."""
    now_ms = ask.brain.now_us() // 1000
    return shapes.many(conn, ask.project.id, [row], now_ms, args_visible=ask.args_visible)[0]


def answered(found: Json, status: int = 200) -> Response:
    """A schedule with its revision as ETag."""
    said = answer(found, status)
    said.headers["ETag"] = f'"{found["revision"]}"'
    return said


def told(ask: Ask, *ids: str) -> None:
    """Let agents and open pages have what was just committed."""
    ask.brain.wake()
    if ask.brain.streams is not None:
        ask.brain.streams.schedules_changed(ask.project.id, ids)


def conflict_for(ask: Ask, error: Problem) -> Problem:
    """A conflict as this viewer may see it."""
    if error.code == "schedule.conflict":
        fields = error.extra["fields"]
        assert isinstance(fields, list)
        error.extra["fields"] = shapes.fields_json(fields, args_visible=ask.args_visible)
    return error


@ENDPOINTS.get(f"{PROJECT}/schedules", "schedule.read", query=("q", "cursor", "limit"))
async def listed(ask: Ask) -> Json:
    """Schedules by name."""
    limit = max(ask.number("limit", DEFAULT_LIMIT, MOST), 1)
    q, cursor, now_ms = ask.text("q"), ask.text("cursor"), ask.brain.now_us() // 1000
    key, purpose = ask.brain.roots.derive("cursor"), f"schedules|{ask.project.id}|{q}"
    after = None
    if cursor:
        name, schedule_id = unseal(key, purpose, cursor, 2)
        after = (str(name), str(schedule_id))

    def work(conn: Connection) -> Json:
        where = query.where(ask.project.id, q, sqlite=conn.dialect.name == "sqlite")
        rows = store.page(conn, where, after, limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        items = shapes.many(conn, ask.project.id, rows, now_ms, args_visible=ask.args_visible)
        last = seal(key, purpose, [rows[-1].name, rows[-1].id]) if more else None
        return {"items": items, "next": last, "total": store.how_many(conn, where)}

    return await ask.brain.db.read(work)


@ENDPOINTS.post(
    f"{PROJECT}/schedules", "schedule.create", takes=dict, query=("strict",), status=201
)
async def create(ask: Ask) -> Response:
    """A new schedule."""
    body = await ask.body(dict[str, Any], DEEPEST)
    by, schedule_id = by_of(ask), new_id(ask.brain)
    place = place_in(ask.project.id, body)
    document = {name: value for name, value in body.items() if name not in ("engine", "app")}

    def work(conn: Connection) -> Json:
        row = service.create(conn, by, New(schedule_id, place), document)
        _strict(conn, ask, row)
        return shown(conn, ask, row)

    found = await ask.brain.db.write(work)
    told(ask, schedule_id)
    return answered(found, 201)


def place_in(project_id: str, body: Json) -> Place:
    """The group a body names.

    Raises:
        Invalid: it names none.
    """
    for name, most in (("engine", 32), ("app", 128)):
        value = body.get(name)
        if not isinstance(value, str) or len(value) > most or not value.isprintable():
            raise wrong("schedule.bounds", f"/{name}", f"no {name}", "take one of schedules/groups")
    if not body["engine"]:
        raise wrong("schedule.bounds", "/engine", "no engine", "take one of schedules/groups")
    return Place(project_id, body["engine"], body["app"])


def _strict(conn: Connection, ask: Ask, row: Row[Any]) -> None:
    if ask.text("strict") != "1":
        return
    _, params = warnings.known_task(conn, store.place_of(row), row.task)
    if params is None:
        text = f"no agent of this group has registered {row.task!r}"
        raise wrong("schedule.unknown_task", "/task", text, "start the app, or leave out strict")


@ENDPOINTS.post(f"{PROJECT}/schedules/preview", "schedule.read", takes=dict)
async def preview(ask: Ask) -> Json:
    """What a definition would do: words, the next slots, catch-up, what is odd about it."""
    body = await ask.body(dict[str, Any], DEEPEST)
    now_us = ask.brain.now_us()
    return await ask.brain.db.read(previews.preview, ask.project.id, body, now_us)


@ENDPOINTS.get(SCHEDULE, "schedule.read")
async def read(ask: Ask) -> Response:
    """One schedule."""

    def work(conn: Connection) -> Json:
        return shown(conn, ask, service.one(conn, ask.project.id, ask.path("id")))

    return answered(await ask.brain.db.read(work))


@ENDPOINTS.patch(SCHEDULE, "schedule.edit", takes=dict, query=("strict",))
async def edit(ask: Ask) -> Response:
    """Change some fields; If-Match names the revision they were read at."""
    body = await ask.body(dict[str, Any], DEEPEST)
    by, said = by_of(ask), ask.request.headers.get("if-match", "")

    def work(conn: Connection) -> Json:
        row = service.one(conn, ask.project.id, ask.path("id"), lock=True)
        conflicts.matched(conn, row, said, body)
        row = service.edit(conn, by, row, body)
        _strict(conn, ask, row)
        return shown(conn, ask, row)

    try:
        found = await ask.brain.db.write(work)
    except Problem as error:
        raise conflict_for(ask, error) from error
    told(ask, found["id"])
    return answered(found)


@ENDPOINTS.delete(SCHEDULE, "schedule.delete", query=("reason",), status=204)
async def delete(ask: Ask) -> None:
    """Take a schedule away; If-Match names its revision. Its fires stay."""
    by, said = by_of(ask), ask.request.headers.get("if-match", "")
    if needs_step_up(ask.principal, "schedule.delete", by.now_us):
        raise Forbidden("auth.step_up", "prove again that it is you: type your password")

    def work(conn: Connection) -> None:
        row = service.one(conn, ask.project.id, ask.path("id"), lock=True)
        conflicts.matched(conn, row, said, {})
        service.delete(conn, by, row, ask.text("reason")[:2_000])

    try:
        await ask.brain.db.write(work)
    except Problem as error:
        raise conflict_for(ask, error) from error
    told(ask, ask.path("id"))
