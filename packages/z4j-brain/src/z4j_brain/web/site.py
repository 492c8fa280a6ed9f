"""Routes of pages and files. The rule: the dashboard's pages never answer for the API."""

from __future__ import annotations

from starlette.responses import Response

from .ask import Ask
from .pages import STATIC, TEMPLATES, asset, single_page
from .route import PUBLIC, SIGNED_IN, Table

ROUTES = Table()
FOREVER = "public, max-age=31536000, immutable"


@ROUTES.get("/healthz", PUBLIC, in_schema=False)
async def healthz(_ask: Ask) -> Response:
    """Says ok and nothing else."""
    return Response("ok", media_type="text/plain")


@ROUTES.get("/api/v1/openapi.json", SIGNED_IN, in_schema=False)
async def schema(ask: Ask) -> Response:
    """The OpenAPI document."""
    return Response(ask.brain.openapi, media_type="application/json")


@ROUTES.get("/", PUBLIC, in_schema=False)
async def start(_ask: Ask) -> Response:
    """The dashboard."""
    return single_page()


@ROUTES.get("/p/{rest:path}", PUBLIC, in_schema=False)
async def dashboard(_ask: Ask) -> Response:
    """The dashboard, at any of its own addresses."""
    return single_page()


@ROUTES.get("/assets/{file:path}", PUBLIC, in_schema=False)
async def assets(ask: Ask) -> Response:
    """Files of the dashboard; their names change with their content."""
    return asset(STATIC / "assets", ask.path("file"), FOREVER)


@ROUTES.get("/auth/{file}", PUBLIC, in_schema=False)
async def auth_files(ask: Ask) -> Response:
    """Script and style of the pages made here."""
    return asset(TEMPLATES / "assets", ask.path("file"), "no-cache")


@ROUTES.get("/{file}", PUBLIC, in_schema=False)
async def files(ask: Ask) -> Response:
    """Files beside the dashboard's index, such as the icon."""
    return asset(STATIC, ask.path("file"), "no-cache")
