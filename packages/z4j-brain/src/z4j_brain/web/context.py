"""What a request may use. The rule: clock, entropy and secrets come in here and nowhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from z4j_core.clock import Clock

from ..db import Database
from ..db.rootkeys import RootKeys
from ..settings import Settings

VERSION = "2.0.0"
OF_TOKEN = "token:"  # noqa: S105 - a prefix


class Streams(Protocol):
    """The hub of live streams, as far as requests know it."""

    @property
    def watermark(self) -> str: ...
    def revoked(self, session: str) -> None: ...
    def close(self) -> None: ...
    def bulk_changed(self, project_id: str, bulk_id: str) -> None: ...
    def schedules_changed(self, project_id: str, ids: Iterable[str]) -> None: ...


def new_id(now_us: int, entropy: Callable[[int], bytes]) -> str:
    """An id as `Brain.new_id` makes it, at a given time."""
    return f"{now_us // 1000:012x}{entropy(10).hex()}"


@dataclass(slots=True)
class Brain:
    """One running server. `wake` tells the gateway that commands are waiting."""

    db: Database
    settings: Settings
    clock: Clock
    entropy: Callable[[int], bytes]
    roots: RootKeys
    version: str = VERSION
    wake: Callable[[], None] = lambda: None
    nudge: Callable[[], None] = lambda: None
    connected: Callable[[str], list[Any]] = lambda _project: []
    abort: Callable[[str, str, str], Awaitable[None]] | None = None
    drain: Callable[[], Awaitable[None]] | None = None
    streams: Streams | None = None
    openapi: bytes = b"{}"
    passwords: Any = None
    swallowed: int = 0
    parts: dict[str, Any] = field(default_factory=dict)

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return self.clock.wall_us()

    def new_id(self) -> str:
        """A fresh id: 48 bits of milliseconds, 80 bits of chance; 32 hex characters."""
        return new_id(self.now_us(), self.entropy)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `roles` maps project id to (role, grants); `session` is the hash of the cookie."""

    user_id: str
    name: str
    email: str
    is_owner: bool
    via: str
    session: str = ""
    token: str = ""
    proved_us: int = 0
    idle_us: int = 0
    scopes: frozenset[str] | None = None
    roles: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)

    @property
    def proof(self) -> str:
        """What a stream of this principal lives by: the session's hash, or `token:<id>`."""
        return self.session or f"{OF_TOKEN}{self.token}"


@dataclass(frozen=True, slots=True)
class Project:
    """The project of a path, as the database knows it."""

    id: str
    slug: str
    name: str
