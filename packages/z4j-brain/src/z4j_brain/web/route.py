"""Declaring endpoints. The rule: method, path, action and shapes stand together, in one table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .ask import Ask

Handler = Callable[[Ask], Awaitable[Any]]
PUBLIC = "public"
SIGNED_IN = "session"
PROJECT = "/api/v1/projects/{slug}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route: what it needs, takes and gives. `query` maps parameter to its sentence."""

    method: str
    path: str
    action: str
    handler: Handler
    gives: Any = None
    takes: type[Any] | None = None
    query: tuple[str, ...] = ()
    status: int = 200
    streams: bool = False
    in_schema: bool = True

    @property
    def name(self) -> str:
        """Operation id: the handler's module and name."""
        feature = self.handler.__module__.split(".")[1]
        return f"{feature}_{self.handler.__name__}"


class Table(list[Endpoint]):
    """The endpoints of one feature; its methods are decorators."""

    def get(self, path: str, action: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a GET; `action` is what authorize() is asked."""
        return self._add("GET", path, action, options)

    def post(self, path: str, action: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a POST; `action` is what authorize() is asked."""
        return self._add("POST", path, action, options)

    def put(self, path: str, action: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a PUT; `action` is what authorize() is asked."""
        return self._add("PUT", path, action, options)

    def patch(self, path: str, action: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a PATCH; `action` is what authorize() is asked."""
        return self._add("PATCH", path, action, options)

    def delete(self, path: str, action: str, **options: Any) -> Callable[[Handler], Handler]:
        """Declare a DELETE; `action` is what authorize() is asked."""
        return self._add("DELETE", path, action, options)

    def _add(
        self, method: str, path: str, action: str, options: dict[str, Any]
    ) -> Callable[[Handler], Handler]:
        def keep(handler: Handler) -> Handler:
            self.append(Endpoint(method, path, action, handler, **options))
            return handler

        return keep
