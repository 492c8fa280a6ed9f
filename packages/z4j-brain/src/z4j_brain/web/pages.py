"""Pages made by the server. The rule: no inline script or style, and every value is escaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import FileResponse, Response

from ..errors import NotFound

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"
TEMPLATES = HERE / "templates"
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain",
    ".map": "application/json",
}
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
)


def page(name: str, status: int = 200, /, **values: Any) -> Response:
    """A rendered template."""
    text = _ENVIRONMENT.get_template(name).render({"error": "", "next": "/"} | values)
    return Response(text, status, media_type="text/html")


def local_path(text: str) -> str:
    """`text` when it is a path of this server, else the start page."""
    fine = text.startswith("/") and not text.startswith("//") and text.isprintable()
    return text if fine and "\\" not in text else "/"


def single_page() -> Response:
    """The dashboard's index, or how to build it."""
    index = STATIC / "index.html"
    if not index.is_file():
        return page("unbuilt.html", 503)
    return FileResponse(index, media_type="text/html", headers={"Cache-Control": "no-cache"})


def asset(folder: Path, path: str, cache: str) -> Response:
    """A file below `folder`.

    Raises:
        NotFound: no such file, or a path that leaves the folder.
    """
    root = folder.resolve()
    found = (root / path).resolve()
    kind = TYPES.get(found.suffix)
    if not found.is_relative_to(root) or not found.is_file() or kind is None:
        raise NotFound("not_found", "no such file")
    return FileResponse(found, media_type=kind, headers={"Cache-Control": cache})
