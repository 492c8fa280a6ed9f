"""How groups stand. The rule: of two states of one group, (era, revision) says which is newer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from . import store
from .model import schedule_groups
from .store import Place

__all__ = ["Place", "known", "outlive", "reseal", "row_of", "stands"]
Stand = tuple[int, int]
_MOST = 1 << 31
_CHUNK = 500


def stands(conn: Connection, projects: Sequence[str]) -> dict[Place, Stand]:
    """Era and revision of every group of some projects."""
    found: dict[Place, Stand] = {}
    for start in range(0, len(projects), _CHUNK):
        part = projects[start : start + _CHUNK]
        query = select(schedule_groups).where(schedule_groups.c.project_id.in_(part))
        found |= {store.place_of(row): _stand(row) for row in conn.execute(query)}
    return found


def known(conn: Connection, places: Iterable[Place]) -> dict[Place, Stand]:
    """Era and revision of those of some groups that ever had a schedule."""
    rows = ((place, store.group(conn, place)) for place in places)
    return {place: _stand(row) for place, row in rows if row is not None}


def row_of(conn: Connection, place: Place) -> Any:
    """What is known of a group; None for nothing."""
    return store.group(conn, place)


def _stand(row: Any) -> Stand:
    return row.era, row.revision


def outlive(conn: Connection, place: Place, told: Stand) -> Stand:
    """Begin an era after one that an agent has seen: this database was restored from a backup.

    Without it agents would refuse every edit as older than what they hold.
    """
    store.raise_group(conn, place)
    row = store.group(conn, place)
    assert row is not None
    if told > _stand(row) and told[0] < _MOST:
        store.change_group(conn, place, era=max(row.era, told[0]) + 1)
        row = store.group(conn, place)
    return _stand(row)


def reseal(conn: Connection, project_id: str) -> None:
    """A new revision of every group: the keys it is sealed for have changed."""
    for row in store.groups(conn, project_id):
        store.raise_group(conn, store.place_of(row))
