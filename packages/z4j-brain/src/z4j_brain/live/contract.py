"""What the hub is told and what it asks. The rule: it knows no feature, and features not it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from sqlalchemy import Connection

from .watch import Look


class Change(Protocol):
    """What the hub reads of one project in one commit."""

    @property
    def project_id(self) -> str: ...
    @property
    def changed(self) -> Iterable[tuple[str, int]]: ...
    @property
    def bulks(self) -> Iterable[str]: ...
    @property
    def schedules(self) -> Iterable[str]: ...


class Sources(Protocol):
    """What the pages show; functions of the features, run in a reader thread."""

    def rows(self, conn: Connection, project_id: str, refs: list[str]) -> list[Mapping[str, Any]]:
        """Rows of `tasks`, as a query judges them."""
        ...

    def shown(self, row: Mapping[str, Any], *, args_visible: bool) -> dict[str, Any]:
        """A row as the list shows it, with `ref` and `v`."""
        ...

    def fits(self, look: Look, node: Any, rows: list[Mapping[str, Any]]) -> list[bool]:
        """Which rows belong to a look's query and range."""
        ...

    def parsed(self, look: Look) -> Any:
        """The look's query; raises what the API would answer."""
        ...

    def counts(self, conn: Connection, look: Look, node: Any) -> dict[str, Any]:
        """Numbers beside a list, by key."""
        ...

    def page(self, conn: Connection, look: Look) -> tuple[str, dict[str, Any]] | None:
        """Event name and content of a view that is sent whole (now, queues, task)."""
        ...

    def bulk(self, conn: Connection, project_id: str, bulk_id: str) -> dict[str, Any]:
        """A bulk as the API shows it."""
        ...

    def schedules(self, conn: Connection, look: Look, ids: list[str]) -> dict[str, Any]:
        """Schedules that changed, as the list shows them; `*` stands for those of just now."""
        ...

    def lag(self, conn: Connection, project_id: str) -> dict[str, Any]:
        """How far the page is behind its agents."""
        ...
