"""Schedules as text in the database, and back. The rule: what is stored was read before.

A document is JSON in ASCII: it holds whatever JSON can say, on both databases alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.build import Context
from z4j_core.scheduler.document import Definition, Replica, read_days_off, read_definition
from z4j_core.scheduler.workdays import DaysOff

from ..errors import Invalid
from . import store

Json = dict[str, Any]
EDITED = ("enabled",)
"""What people edit beside the definition."""


def schedule_id(made: str) -> str:
    """A UUID of version 7 as text from a fresh id, whose first 48 bits are the time too."""
    number = int(made, 16) & ~(0xF << 76) | 0x7 << 76
    return str(UUID(int=number & ~(0x3 << 62) | 0x2 << 62))


def text_of(value: Any) -> str:
    """Canonical JSON: equal values are equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def read(document: Any, pointer: str = "") -> Definition:
    """A definition somebody sent.

    Raises:
        Invalid: with the pointer of the field that is wrong.
    """
    try:
        return read_definition(document)
    except ScheduleInvalid as error:
        raise invalid(error.under(pointer)) from error


def invalid(error: ScheduleInvalid) -> Invalid:
    """What the API answers to a schedule that cannot be."""
    return Invalid(
        error.code, error.text, pointer=error.pointer, message=error.text,
        hint=error.hint or None, column=error.column or None,
    )  # fmt: skip


def wrong(code: str, pointer: str, message: str, hint: str) -> Invalid:
    """A field that cannot be meant."""
    return invalid(ScheduleInvalid(code, message, hint=hint, pointer=pointer))


def definition_of(row: Any) -> Definition:
    """The definition of a stored row."""
    return read_definition(json.loads(row.document))


def state_of(row: Any) -> Json:
    """Everything of a row that people edit."""
    document: Json = json.loads(row.document)
    return document | {"enabled": row.enabled}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[list[Any]]:
    """Fields that differ, as [field, before, after]."""
    names = sorted({*before, *after})
    return [
        [name, before.get(name), after.get(name)]
        for name in names
        if text_of(before.get(name)) != text_of(after.get(name))
    ]


def days_off(conn: Connection, project_id: str) -> dict[str, DaysOff]:
    """Calendars of a project by name."""
    return {
        row.name: read_days_off(json.loads(row.document))
        for row in store.calendars_of(conn, project_id)
    }


def context_of(row: Any, days: Mapping[str, DaysOff]) -> Context:
    """What the trigger of a stored row is built for."""
    return Context(row.id, row.created // 1000, days, row.last_ended_ms)


def replica_of(row: Any, days: Mapping[str, DaysOff]) -> Replica:
    """A row as agents hold it."""
    definition = definition_of(row)
    named = {each.ref for each in definition.trigger.calendars}
    return Replica(
        id=row.id,
        generation=row.generation,
        revision=row.revision,
        created_ms=row.created // 1000,
        effective_ms=row.effective_ms,
        definition=definition,
        not_before_ms=row.not_before_ms,
        enabled=row.enabled,
        paused=row.paused,
        paused_until_ms=row.paused_until_ms,
        days_off={name: days[name] for name in sorted(named) if name in days},
    )
