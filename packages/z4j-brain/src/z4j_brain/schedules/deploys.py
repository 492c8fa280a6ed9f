"""Declared sets as deployments bring them. The rule: a rolling deployment changes a schedule once.

A set nobody reported before is applied at once. One that was in force before comes back only when
every agent that reports a set under its tag reports this one: that is a deployment taken back, and
not the part of one that has not got there yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select, update

from ..agents.model import agents
from ..web.context import new_id
from . import declared
from .declared import Set
from .model import declared_sets
from .service import By
from .written import schedule_id

KEPT = 32
"""How many sets of a tag are remembered."""
AGAIN_US = 10_000_000
"""After how long a set is tried again that could not be applied."""
LONGEST_TAG = 64
MOST_BYTES = 8 << 20


class Name(NamedTuple):
    """Whose set it is."""

    project_id: str
    tag: str


def readable(tag: str, rows: Iterable[tuple[str, str]]) -> dict[str, Any] | None:
    """The documents of a set as they came; None for what cannot be one."""
    found = dict(rows)
    is_short = len(found) <= declared.MOST and sum(map(len, found.values())) <= MOST_BYTES
    if not (1 <= len(tag) <= LONGEST_TAG and tag.isprintable() and is_short):
        return None
    try:
        documents = {name: json.loads(text) for name, text in found.items()}
    except ValueError:
        return None
    return documents if all(isinstance(each, dict) for each in documents.values()) else None


def keep(conn: Connection, name: Name, digest: str, documents: Mapping[str, Any], us: int) -> None:
    """Remember a set; nothing when it is known."""
    known = _sets(conn, name)
    if digest in known:
        return
    values = {"project_id": name.project_id, "tag": name.tag, "hash": digest, "seen": us}
    text = json.dumps(documents, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    conn.execute(insert(declared_sets).values(**values, documents=text))
    oldest = sorted(known.values(), key=lambda row: max(row.seen, row.applied or 0))
    for row in oldest[: max(0, len(oldest) + 1 - KEPT)]:
        conn.execute(delete(declared_sets).where(*_is(name), declared_sets.c.hash == row.hash))


def open_tags(conn: Connection, projects: Iterable[str], now_us: int) -> list[tuple[Name, str]]:
    """Tags under which another set is to be applied now, and which."""
    found = []
    for project_id in projects:
        live = reported(conn, project_id)
        for tag in sorted(live):
            name = Name(project_id, tag)
            digest = chosen(live[tag], _sets(conn, name), now_us)
            if digest is not None:
                found.append((name, digest))
    return found


def reported(conn: Connection, project_id: str) -> dict[str, set[str]]:
    """The sets that connected agents report, by tag."""
    query = select(agents.c.declared).where(
        agents.c.project_id == project_id, agents.c.connected.is_(True),
        agents.c.declared.is_not(None),
    )  # fmt: skip
    found: dict[str, set[str]] = {}
    for pairs in conn.execute(query).scalars():
        for tag, digest in pairs or ():
            found.setdefault(tag, set()).add(digest)
    return found


def chosen(live: set[str], known: Mapping[str, Row[Any]], now_us: int) -> str | None:
    """Which of the reported sets is to be applied; None to leave all as it is."""
    new = [
        known[digest]
        for digest in live & known.keys()
        if known[digest].applied is None and _is_due(known[digest], now_us)
    ]
    if new:
        newest: Row[Any] = max(new, key=lambda row: (row.seen, row.hash))
        return str(newest.hash)
    if len(live) != 1:
        return None
    (only,) = live
    if only not in known or only == in_force(known) or not _is_due(known[only], now_us):
        return None
    return only


def in_force(known: Mapping[str, Row[Any]]) -> str | None:
    """The set that was applied last."""
    applied = [row for row in known.values() if row.applied is not None]
    return max(applied, key=lambda row: (row.applied, row.hash)).hash if applied else None


def apply(
    conn: Connection, name: Name, digest: str, now_us: int, entropy: Callable[[int], bytes]
) -> bool:
    """Make schedules what a set declares; whether it was still to be done.

    Raises:
        Problem: it cannot be; nothing is done.
    """
    query = select(declared_sets).where(*_is(name)).with_for_update()
    known = {row.hash: row for row in conn.execute(query)}
    if chosen(reported(conn, name.project_id).get(name.tag, set()), known, now_us) != digest:
        return False
    documents = _placed(json.loads(known[digest].documents), _place_of(conn, name, digest))
    by = By(
        project_id=name.project_id, name=f"app {name.tag}", via="deploy", now_us=now_us,
        entry_id=new_id(now_us, entropy),
    )  # fmt: skip
    wanted = Set(name.project_id, name.tag, None, None, documents)
    ids = [schedule_id(new_id(now_us, entropy)) for _ in documents]
    declared.apply(conn, wanted, by, ids)
    _note(conn, name, digest, tried=now_us, applied=now_us, fault=None)
    return True


def refuse(conn: Connection, name: Name, digest: str, fault: str, now_us: int) -> bool:
    """Remember why a set could not be applied; whether that is new."""
    before = _sets(conn, name)[digest].fault
    _note(conn, name, digest, tried=now_us, fault=fault)
    return bool(before != fault)


def _place_of(conn: Connection, name: Name, digest: str) -> tuple[str, str] | None:
    """Engine and app of the agents that report a set, where they have one of each."""
    query = select(agents.c.apps, agents.c.declared).where(
        agents.c.project_id == name.project_id, agents.c.connected.is_(True),
        agents.c.declared.is_not(None),
    )  # fmt: skip
    found = {
        (app["engine"], app["app"])
        for apps, pairs in conn.execute(query)
        for app in apps or ()
        if [name.tag, digest] in pairs
    }
    return next(iter(found)) if len(found) == 1 else None


def _placed(documents: dict[str, Any], place: tuple[str, str] | None) -> dict[str, Any]:
    """Documents that name neither engine nor app belong to the only ones there are."""
    if place is None:
        return documents
    usual = dict(zip(("engine", "app"), place, strict=True))
    return {
        key: each if usual.keys() & each.keys() else usual | each for key, each in documents.items()
    }


def _is_due(row: Row[Any], now_us: int) -> bool:
    return not row.fault or row.tried is None or now_us - row.tried >= AGAIN_US


def _note(conn: Connection, name: Name, digest: str, **values: Any) -> None:
    where = (*_is(name), declared_sets.c.hash == digest)
    conn.execute(update(declared_sets).where(*where).values(**values))


def _sets(conn: Connection, name: Name) -> dict[str, Row[Any]]:
    rows = conn.execute(select(declared_sets).where(*_is(name)))
    return {row.hash: row for row in rows}


def _is(name: Name) -> tuple[Any, ...]:
    return declared_sets.c.project_id == name.project_id, declared_sets.c.tag == name.tag
