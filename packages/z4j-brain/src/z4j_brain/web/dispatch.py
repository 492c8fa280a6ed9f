"""From a Starlette route to a handler. The rule: identify, authorise, then and only then run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..db import DRIVER_ERRORS, is_trouble
from ..errors import Problem
from .answers import TITLES, answer, problem
from .ask import Ask
from .context import Brain
from .origin import refuse_cross_site
from .route import PUBLIC, Endpoint

LOG = logging.getLogger("z4j.brain")
SAFE = frozenset({"GET", "HEAD"})


class Gate(NamedTuple):
    """What auth lends the dispatcher: who asks, and whether they may."""

    cookie: Callable[[Request], str | None]
    identify: Callable[[Ask], Awaitable[None]]
    authorize: Callable[[Ask, str], Awaitable[None]]
    actions: frozenset[str]


def http_routes(brain: Brain, gate: Gate, endpoints: list[Endpoint]) -> list[Route]:
    """Starlette routes of all endpoints.

    Raises:
        RuntimeError: an endpoint declares no known action; the server must not start.
    """
    for endpoint in endpoints:
        if endpoint.action not in gate.actions:
            raise RuntimeError(f"{endpoint.method} {endpoint.path} declares no known action")
    return [
        Route(each.path, _runner(brain, gate, each), methods=[each.method], name=each.name)
        for each in endpoints
    ]


def _runner(
    brain: Brain, gate: Gate, endpoint: Endpoint
) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        ask = Ask(request, brain)
        cookie = gate.cookie(request) is not None
        bearer = "authorization" in request.headers
        if request.method not in SAFE and not bearer:
            marked = endpoint.path.startswith("/api/")
            refuse_cross_site(request, brain.settings, cookie=cookie, marked=marked)
        elif endpoint.streams and not bearer:
            refuse_cross_site(request, brain.settings, cookie=cookie, marked=False)
        await gate.identify(ask)
        if endpoint.action != PUBLIC:
            await gate.authorize(ask, endpoint.action)
        return answer(await endpoint.handler(ask), endpoint.status)

    return run


Handler = Callable[[Request, Exception], Response]


def error_handlers(brain: Brain) -> dict[type[Exception], Handler]:
    """What is answered when something is raised; the last one catches what nobody expected."""

    def told(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return problem(error, brain.entropy(8).hex())

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = error.status_code
        text = TITLES.get(status, "")
        return told(request, Problem(f"http.{status}", text, status=status))

    def crashed(request: Request, error: Exception) -> Response:
        brain.swallowed += 1
        request_id = brain.entropy(8).hex()
        LOG.error("request %s failed at %r", request_id, request.scope["path"], exc_info=error)
        found = Problem("server.error", f"internal error {request_id}", status=500)
        return problem(found, request_id)

    def away(request: Request, error: Exception) -> Response:
        if not is_trouble(error):
            return crashed(request, error)
        text = "the database cannot be used now"
        return told(request, Problem("server.database", text, status=503))

    aways: dict[type[Exception], Handler] = dict.fromkeys(DRIVER_ERRORS, away)
    return {Problem: told, HTTPException: refused, **aways, Exception: crashed}
