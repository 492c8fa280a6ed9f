"""What live pages show, from the features that know it. The rule: a page and its stream agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from .agents import pages
from .commands import service as command_service
from .commands.api import bulk_json
from .errors import NotFound
from .health import service as health
from .live.watch import Look
from .queues import service as queues
from .schedules import named
from .schedules import query as schedule_query
from .schedules import shapes as schedules
from .search import EMPTY, KEYS, Scope, has_time, matches, parse, uses_args
from .search.tree import QueryError
from .search.window import window
from .tasks import detail as details
from .tasks import service as tasks
from .tasks.model import tasks as table
from .tasks.shapes import task_json
from .workers import service as workers

Row = Mapping[str, Any]


class LiveSources:
    """The hub's view of the features; reads run in reader threads."""

    def __init__(self, wall_us: Callable[[], int], heartbeat_ms: int, *, sqlite: bool) -> None:
        self._wall_us = wall_us
        self._heartbeat_ms = heartbeat_ms
        self._sqlite = sqlite
        self._names: dict[str, dict[str, str]] = {}
        self._positions: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {}

    def rows(self, conn: Connection, project_id: str, refs: list[str]) -> list[Row]:
        """Rows of `tasks`; keeps the names that queries may use for them."""
        self._positions[project_id] = tasks.positions_of(conn, project_id)
        rows = tasks.raw_rows(conn, project_id, refs)
        fired = {row["schedule"] for row in rows if row["schedule"]}
        self._names[project_id] = named.names_of(conn, fired) if fired else {}
        return rows

    def shown(self, row: Row, *, args_visible: bool) -> dict[str, Any]:
        """A row as the list shows it."""
        return task_json(row, self._wall_us(), args_visible=args_visible)

    def parsed(self, look: Look) -> Any:
        """The look's query.

        Raises:
            QueryError: it cannot be meant, or reads what the viewer may not see.
        """
        keys = schedule_query.KEYS if look.view == "schedules" else KEYS
        node = parse(look.q, keys) if look.q else EMPTY
        window(look.range, self._wall_us())
        if not look.args_visible and (hidden := uses_args(node)):
            raise QueryError("query.args_hidden", hidden.column, "arguments are not visible to you")
        return node

    def fits(self, look: Look, node: Any, rows: list[Row]) -> list[bool]:
        """Which rows belong to a look's query and range."""
        now_us = self._wall_us()
        scope = Scope(
            table, self._sqlite, now_us, args_visible=look.args_visible,
            positions=self._positions.get(look.project_id, {}),
        )  # fmt: skip
        node = named.with_ids(node, named.among(self._names.get(look.project_id, {})))
        least, most = (0, now_us) if has_time(node) else window(look.range, now_us)
        fresh = most >= now_us
        return [
            row["at"] >= least and (fresh or row["at"] <= most) and matches(row, node, scope)
            for row in rows
        ]

    def counts(self, conn: Connection, look: Look, node: Any) -> dict[str, Any]:
        """Numbers beside a list."""
        return tasks.counts_of(
            conn, look.project_id, look.q, look.range or None, self._wall_us(),
            args_visible=look.args_visible,
        )  # fmt: skip

    def page(self, conn: Connection, look: Look) -> tuple[str, dict[str, Any]] | None:
        """A view that is sent whole."""
        now_us = self._wall_us()
        if look.view == "now":
            span = window(look.range, now_us)
            found = health.now(conn, look.project_id, span, now_us, args_visible=look.args_visible)
            return "now", found
        if look.view == "queues":
            heard = workers.listed(conn, look.project_id, now_us, self._heartbeat_ms)
            items = queues.listed(conn, look.project_id, now_us)
            return "queues", {"items": items, "workers": heard}
        if look.view == "task" and look.ref:
            try:
                shown = details.detail(
                    conn, look.project_id, look.ref, now_us, args_visible=look.args_visible
                )
            except NotFound:
                return None
            return "task", shown
        return None

    def bulk(self, conn: Connection, project_id: str, bulk_id: str) -> dict[str, Any]:
        """A bulk as the API shows it."""
        return bulk_json(command_service.bulk_of(conn, project_id, bulk_id))

    def schedules(self, conn: Connection, look: Look, ids: list[str]) -> dict[str, Any]:
        """Schedules that changed, as the list shows them; `*` stands for those of just now."""
        return schedules.changed(
            conn, look.project_id, ids, self._wall_us(), args_visible=look.args_visible
        )

    def lag(self, conn: Connection, project_id: str) -> dict[str, Any]:
        """How far pages are behind the agents."""
        return pages.lag(conn, project_id, self._wall_us())
