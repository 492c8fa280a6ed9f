"""Schedules that a file declares. The rule: what was edited here since is kept, and shown as drift.

Reconciling is a merge of three: what was declared last, what is declared now, what is here.
Applied twice, the second time changes nothing and leaves no trace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row
from z4j_core.scheduler.document import Definition
from z4j_core.scheduler.spec import TriggerSpec

from ..agents.offers import offers
from ..errors import Conflict, Invalid
from . import service, store, warnings
from .service import By, New
from .store import Place
from .written import Json, read, state_of, text_of, wrong

MOST = 10_000
PRUNES, DRIFTS = ("disable", "delete", "none"), ("keep", "overwrite", "fail")
_USUAL = Definition("", "", TriggerSpec(())).json()


@dataclass(frozen=True, slots=True)
class Set:
    """What is declared: documents by name, where they belong, and what becomes of the others."""

    project_id: str
    tag: str
    engine: str | None
    app: str | None
    documents: Mapping[str, Json]
    prune: str = "disable"
    on_drift: str = "keep"

    @property
    def owner(self) -> str:
        """Who owns the rows."""
        return f"declarative:{self.tag}"


@dataclass(slots=True)
class Plan:
    """What would be done."""

    create: list[tuple[Place, Json]] = field(default_factory=list)
    change: list[tuple[Row[Any], Json, Json]] = field(default_factory=list)
    note: list[tuple[Row[Any], Json]] = field(default_factory=list)
    prune: list[Row[Any]] = field(default_factory=list)
    drift: list[Json] = field(default_factory=list)
    unchanged: int = 0
    warnings: list[Json] = field(default_factory=list)

    def shown(self) -> Json:
        """As the API shows it."""
        return {
            "create": [document["name"] for _, document in self.create],
            "change": [
                {"name": row.name, "fields": fields_of(state_of(row), patch)}
                for row, patch, _ in self.change
            ],
            "prune": [row.name for row in self.prune],
            "drift": self.drift, "unchanged": self.unchanged, "warnings": self.warnings,
        }  # fmt: skip


def fields_of(before: Json, patch: Json) -> list[Json]:
    """What a patch changes."""
    return [
        {"field": name, "before": before.get(name), "after": value}
        for name, value in sorted(patch.items())
        if text_of(before.get(name)) != text_of(value)
    ]


def plan(conn: Connection, wanted: Set) -> Plan:
    """Compare what is declared with what is here.

    Raises:
        Invalid: with the pointer of the field that is wrong.
    """
    found = Plan()
    rows = store.owned(conn, wanted.project_id, wanted.owner)
    there = _groups(conn, wanted.project_id)
    here = {(row.engine, row.app, row.name): row for row in rows}
    for name, given in wanted.documents.items():
        place, document = _whole(wanted, there, name, given)
        row = here.pop((place.engine, place.app, name), None)
        if row is not None:
            _merge(found, wanted, row, document)
            continue
        if store.named(conn, place, name) is not None:
            raise wrong(
                "schedule.name_taken", _pointer(name), "somebody else has a schedule of this name",
                "rename one of them",
            )  # fmt: skip
        found.create.append((place, document))
        found.warnings += _warn(conn, place, name, document)
    if wanted.prune != "none":
        found.prune = [row for row in here.values() if wanted.prune == "delete" or row.enabled]
    return found


def _pointer(name: str) -> str:
    return "/schedules/" + name.replace("~", "~0").replace("/", "~1")


def _groups(conn: Connection, project_id: str) -> set[tuple[str, str]]:
    """Groups that have schedules or a connected agent."""
    known = {(row.engine, row.app) for row in store.groups(conn, project_id)}
    return known | set(offers(conn, project_id))


def _group(
    there: set[tuple[str, str]], name: str, engine: str | None, app: str | None
) -> tuple[str, str]:
    """The group that is named, or the only one there is.

    Raises:
        Invalid: it could be several, or none.
    """
    if engine is not None and app is not None:
        return str(engine)[:32], str(app)[:128]
    found = {each for each in there if engine in (None, each[0]) and app in (None, each[1])}
    if len(found) == 1:
        return next(iter(found))
    known = ", ".join(f"{each[0]} {each[1]}" for each in sorted(there)) or "none yet"
    hint = f"name engine and app, one of: {known}"
    raise wrong("schedule.group", _pointer(name), f"{len(found)} groups could be meant", hint)


def _whole(wanted: Set, there: set[tuple[str, str]], name: str, given: Any) -> tuple[Place, Json]:
    """A document with every field written out, and its group."""
    if not isinstance(given, dict):
        raise wrong("schedule.bounds", _pointer(name), "it is no object", "write an object")
    document = dict(given)
    engine, app = document.pop("engine", None), document.pop("app", None)
    enabled = document.pop("enabled", None)
    engine = wanted.engine if engine is None else engine
    app = wanted.app if app is None else app
    place = Place(wanted.project_id, *_group(there, name, engine, app))
    definition = read({**document, "name": name}, _pointer(name))
    found = definition.json()
    if enabled is not None:
        found["enabled"] = enabled
    return place, found


def _merge(found: Plan, wanted: Set, row: Row[Any], document: Json) -> None:
    """One schedule: `base` was declared last, `document` is declared now, `here` is what there is.

    A field that only the file changed is taken, one that was edited here is drift.
    """
    here = state_of(row)
    base: Json = json.loads(row.declared or "null") or here
    patch: Json = {}
    if row.declared is None and not row.enabled and "enabled" not in document:
        patch["enabled"] = True  # it was pruned, and is declared again
    for name, declared in document.items():
        if text_of(here.get(name)) == text_of(declared):
            continue
        edited = name in base and text_of(here.get(name)) != text_of(base[name])
        if edited and wanted.on_drift != "overwrite":
            drift = {"name": row.name, "field": name, "declared": declared, "now": here.get(name)}
            found.drift.append(drift)
        else:
            patch[name] = declared
    if patch:
        found.change.append((row, patch, document))
    elif text_of(base) != text_of(document) or row.declared is None:
        found.note.append((row, document))
        found.unchanged += 1
    else:
        found.unchanged += 1


def _warn(conn: Connection, place: Place, name: str, document: Json) -> list[Json]:
    _, params = warnings.known_task(conn, place, document["task"])
    if params is not None:
        return []
    text = f"no agent of this group has registered {document['task']!r}"
    return [warnings.warn("schedule.unknown_task", text) | {"name": name}]


def apply(conn: Connection, wanted: Set, by: By, ids: list[str]) -> Plan:
    """Do what `plan` says; `ids` are for new schedules, one each.

    Raises:
        Invalid: with the pointer of the field that is wrong; nothing is done.
        Conflict: `schedule.drift`, when drift shall fail.
    """
    found = plan(conn, wanted)
    if found.drift and wanted.on_drift == "fail":
        raise Conflict("schedule.drift", "some fields were edited here", drift=found.drift)
    for (place, document), schedule_id in zip(found.create, ids, strict=False):
        new = New(schedule_id, place, wanted.owner, text_of(document))
        _named(document["name"], lambda n=new, d=document: service.create(conn, by, n, d, ""))
    for row, patch, document in found.change:
        said = text_of(document)
        _named(row.name, lambda r=row, p=patch, s=said: service.edit(
            conn, by, r, p, "", declared=s
        ))  # fmt: skip
    for row, document in found.note:
        store.change(conn, row.id, declared=text_of(document))
    for row in found.prune:
        if wanted.prune == "delete":
            service.delete(conn, by, row, action="")
        else:
            service.edit(conn, by, row, {"enabled": False}, "", declared=None)
    if found.create or found.change or found.prune:
        names = [d["name"] for _, d in found.create] + [r.name for r, _, _ in found.change]
        detail = {
            "create": len(found.create), "change": len(found.change), "prune": len(found.prune),
            "names": names[:100],
        }  # fmt: skip
        service.audit_set(conn, by, "schedule.apply", wanted.tag, detail)
    return found


def _named(name: str, work: Any) -> None:
    """Do it; what is wrong is pointed at inside the set."""
    try:
        work()
    except Invalid as error:
        error.extra["pointer"] = _pointer(name) + str(error.extra.get("pointer") or "")
        raise
