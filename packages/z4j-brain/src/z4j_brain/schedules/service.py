"""Schedules made and changed. The rule: one edit is one revision, one audit row, one transaction.

Who edits names the revision it was made from; of two editors the second one hears what differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row
from z4j_core.errors import ScheduleInvalid, WireError
from z4j_core.scheduler.build import Context, check
from z4j_core.scheduler.document import Definition
from z4j_core.scheduler.fires import digest

from ..audit.service import Entry, record
from ..commands.seal import CHANNEL
from ..errors import Conflict, NotFound
from . import newest, store, timing
from .store import Place, place_of
from .written import Json, changes, days_off, invalid, read, state_of, text_of, wrong

GROUP_MOST = 100_000
_DECIDES = (
    "specs", "exclude", "calendars", "blackouts", "start_at", "end_at", "max_fires",
    "jitter_s", "jitter_mode",
)  # fmt: skip
"""Fields that decide slots: when one changes, the generation rises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who edits, when, and the id of the audit row."""

    project_id: str
    name: str
    via: str
    now_us: int
    entry_id: str
    user_id: str = ""

    @property
    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self.now_us // 1000


@dataclass(frozen=True, slots=True)
class New:
    """What a new schedule is beside its document; `declared` is the document a file gave it."""

    id: str
    place: Place
    owner: str = "ui"
    declared: str | None = None


def one(conn: Connection, project_id: str, schedule_id: str, *, lock: bool = False) -> Row[Any]:
    """A schedule of this project.

    Raises:
        NotFound: there is none.
    """
    found = store.one(conn, project_id, schedule_id, lock=lock)
    if found is None:
        raise NotFound("not_found", "no such schedule")
    return found


def create(
    conn: Connection, by: By, row: New, document: Json, action: str = "schedule.create"
) -> Row[Any]:
    """Store a new schedule; without an action it is part of one that is audited elsewhere.

    Raises:
        Invalid: with the pointer of the field that is wrong.
        Conflict: `schedule.name_taken`.
    """
    place = row.place
    definition, enabled = _after(conn, by, row.id, document, by.now_ms)
    if store.named(conn, place, definition.name) is not None:
        raise _taken(definition.name)
    revision = store.raise_group(conn, place)
    if store.how_many(conn, store.in_group(place)) >= GROUP_MOST:
        raise Conflict("schedule.too_many", f"a group has at most {GROUP_MOST} schedules")
    store.add(conn, place._asdict() | _of_definition(definition) | {
        "id": row.id, "owner": row.owner, "enabled": enabled, "paused": False, "generation": 1,
        "revision": revision, "created": by.now_us, "updated": by.now_us,
        "effective_ms": by.now_ms, "not_before_ms": by.now_ms, "declared": row.declared,
    })  # fmt: skip
    made = one(conn, place.project_id, row.id)
    _written(conn, by, made, [])
    if action:
        audit(conn, by, action, made)
    return one(conn, place.project_id, row.id)


def edit(
    conn: Connection, by: By, row: Row[Any], patch: Mapping[str, Any],
    action: str = "schedule.edit", **values: Any,
) -> Row[Any]:  # fmt: skip
    """Change fields people edit, and columns beside them; a change of nothing writes nothing.

    Raises:
        Invalid: with the pointer of the field that is wrong.
        Conflict: `schedule.name_taken`.
    """
    before = state_of(row)
    document = {**before, **_editable(row, patch)}
    definition, enabled = _after(conn, by, row.id, document, row.created // 1000)
    after = definition.json() | {"enabled": enabled}
    changed = changes(before, after)
    if not changed:
        if values:
            store.change(conn, row.id, **values)
        return one(conn, row.project_id, row.id)
    if definition.name != row.name and store.named(conn, place_of(row), definition.name):
        raise _taken(definition.name)
    values |= _of_definition(definition) | {"enabled": enabled}
    if any(text_of(before[name]) != text_of(after[name]) for name in _DECIDES):
        values |= {"generation": row.generation + 1, "effective_ms": by.now_ms}
    if enabled and not row.enabled:
        values["not_before_ms"] = by.now_ms
    found = write(conn, by, row, values, changed)
    if action:
        audit(conn, by, action, found, changed)
    return found


_FIXED = ("engine", "app", "id", "owner")


def _editable(row: Row[Any], patch: Mapping[str, Any]) -> Json:
    """What of a patch changes anything.

    Raises:
        Invalid: it would change what never changes.
    """
    for name in _FIXED:
        if name in patch and patch[name] != getattr(row, name):
            raise wrong("schedule.bounds", f"/{name}", "it never changes", "make another schedule")
    return {name: value for name, value in patch.items() if name not in _FIXED}


def _after(
    conn: Connection, by: By, schedule_id: str, document: Json, created_ms: int
) -> tuple[Definition, bool]:
    """What a document says: a definition that may be stored, and whether it is enabled."""
    document = dict(document)
    enabled = document.pop("enabled", None)
    if enabled is not None and not isinstance(enabled, bool):
        raise wrong("schedule.bounds", "/enabled", "it is no flag", "write true or false")
    definition = read(document)
    _digestible(definition)
    context = Context(schedule_id, created_ms, days_off(conn, by.project_id))
    try:
        check(definition.trigger, context, by.now_ms)
    except ScheduleInvalid as error:
        raise invalid(error) from error
    return definition, enabled is not False


def _digestible(definition: Definition) -> None:
    """Refuse arguments that the wire cannot carry."""
    for name, value in (
        ("args", definition.args), ("kwargs", definition.kwargs), ("options", definition.options),
        ("headers", definition.headers),
    ):  # fmt: skip
        try:
            digest("", [value], {})
        except (WireError, TypeError, UnicodeError) as error:
            text, hint = "a value that no message can carry", "write large numbers as text"
            raise wrong("schedule.args", f"/{name}", text, hint) from error


def write(
    conn: Connection, by: By, row: Row[Any], values: Mapping[str, Any], changed: Sequence[Any]
) -> Row[Any]:
    """Change a row under the next revision of its group."""
    revision = store.raise_group(conn, place_of(row))
    store.change(conn, row.id, **values, revision=revision, updated=by.now_us)
    if values.get("grace_ms", row.grace_ms) != row.grace_ms:
        newest.keep(conn, [row.id])
    found = one(conn, row.project_id, row.id)
    _written(conn, by, found, changed)
    return one(conn, row.project_id, row.id)


def _written(conn: Connection, by: By, row: Row[Any], changed: Sequence[Any]) -> None:
    """What follows from every change: its revision, what is awaited of it, and word to agents."""
    store.add_revision(conn, {
        "schedule_id": row.id, "revision": row.revision, "project_id": row.project_id,
        "at": by.now_us, "by": by.name, "state": text_of(state_of(row)),
        "changes": text_of(list(changed)),
    })  # fmt: skip
    watch = timing.watch_ms(row, days_off(conn, row.project_id))
    store.change(conn, row.id, watch_ms=watch, silent=None)
    wake(conn)


def wake(conn: Connection) -> None:
    """Let the gateways of all brains look, once this is committed."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"NOTIFY {CHANNEL}")


def delete(
    conn: Connection, by: By, row: Row[Any], reason: str = "", action: str = "schedule.delete"
) -> None:
    """Take a schedule away; its fires stay to be read."""
    store.remove(conn, row, store.raise_group(conn, place_of(row)))
    wake(conn)
    if action:
        audit(conn, by, action, row, reason=reason)


def pause(conn: Connection, by: By, row: Row[Any], until_ms: int | None, note: str) -> Row[Any]:
    """Let nothing fire, for good or until a time.

    Raises:
        Invalid: the time is over.
    """
    if until_ms is not None and until_ms <= by.now_ms:
        raise wrong("schedule.bounds", "/until", "this time is over", "name a later one")
    values = {
        "paused": True, "paused_by": by.name, "paused_at": by.now_us, "paused_note": note or None,
        "paused_until_ms": until_ms,
    }  # fmt: skip
    found = write(conn, by, row, values, [["paused", row.paused, True]])
    audit(conn, by, "schedule.pause", found, reason=note)
    return found


def resume(conn: Connection, by: By, row: Row[Any], since_ms: int | None = None) -> Row[Any]:
    """Let it fire again, from now on: what was due meanwhile is not missed."""
    if not row.paused:
        return row
    values = {
        "paused": False, "paused_by": None, "paused_at": None, "paused_note": None,
        "paused_until_ms": None, "consecutive_failures": 0,
        "not_before_ms": by.now_ms if since_ms is None else since_ms,
    }  # fmt: skip
    found = write(conn, by, row, values, [["paused", True, False]])
    audit(conn, by, "schedule.resume", found)
    return found


def audit(
    conn: Connection, by: By, action: str, row: Row[Any], changed: Sequence[Any] = (),
    reason: str = "", **detail: Any,
) -> None:  # fmt: skip
    """The one audit row of an act."""
    said = {"name": row.name, "revision": row.revision} | detail
    if changed:
        said["fields"] = [each[0] for each in changed]
    record(conn, by.entry_id, by.now_us, Entry(
        action, by.name, by.via, by.project_id, f"schedule {row.id}", reason=reason or None,
        detail=said,
    ))  # fmt: skip


def audit_set(conn: Connection, by: By, action: str, tag: str, detail: Json) -> None:
    """The one audit row of a set that was applied."""
    record(conn, by.entry_id, by.now_us, Entry(
        action, by.name, by.via, by.project_id, f"schedules of {tag}", detail=detail,
    ))  # fmt: skip


def _of_definition(definition: Definition) -> Json:
    return {
        "name": definition.name, "task": definition.task, "queue": definition.queue,
        "tags": "".join(f"\n{tag}\n" for tag in definition.tags),
        "document": text_of(definition.json()), "grace_ms": definition.rules.grace_s * 1000,
    }  # fmt: skip


def _taken(name: str) -> Conflict:
    text = f"there is a schedule {name!r} in this group"
    return Conflict(
        "schedule.name_taken", text, pointer="/name", message=text, hint="choose another"
    )
