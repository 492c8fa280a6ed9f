"""Who is connected to this brain process. The rule: one session per stream, the newer one stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from .connection import Connection


class Registry:
    """Connections by stream, by project and by the engines they offer."""

    def __init__(self) -> None:
        self._by_stream: dict[tuple[str, str], Connection] = {}
        self._by_project: dict[str, set[Connection]] = defaultdict(set)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._by_stream.values()))

    def __len__(self) -> int:
        return len(self._by_stream)

    def add(self, connection: Connection) -> Connection | None:
        """Add a connection; returns the one it supersedes."""
        key = (connection.who.project_id, connection.stream)
        older = self._by_stream.get(key)
        self._by_stream[key] = connection
        if older is not None:
            self._by_project[connection.who.project_id].discard(older)
        self._by_project[connection.who.project_id].add(connection)
        return older

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        key = (connection.who.project_id, connection.stream)
        if self._by_stream.get(key) is connection:
            del self._by_stream[key]
        members = self._by_project[connection.who.project_id]
        members.discard(connection)
        if not members:
            del self._by_project[connection.who.project_id]

    def projects(self) -> list[str]:
        """Projects with at least one agent here."""
        return [project for project, members in self._by_project.items() if members]

    def of_project(self, project_id: str) -> list[Connection]:
        """Agents of a project, oldest first."""
        members = self._by_project.get(project_id, set())
        return sorted(members, key=lambda connection: connection.welcomed_at)

    def of_stream(self, project_id: str, stream: str) -> Connection | None:
        """The agent whose own stream this is."""
        return self._by_stream.get((project_id, stream))
