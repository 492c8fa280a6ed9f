"""The session cookie. The rule: `__Host-` on https; on plain http a name that promises nothing."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..settings import Settings

SECURE, PLAIN = "__Host-z4j", "z4j_dev"
MAX_AGE_S = 7 * 24 * 3600


def is_https(settings: Settings) -> bool:
    """Whether people reach this server by https."""
    return (settings.public_url or "").startswith("https://")


def read_cookie(request: Request, settings: Settings) -> str | None:
    """The session id a request carries, if any."""
    return request.cookies.get(SECURE if is_https(settings) else PLAIN)


def set_cookie(response: Response, settings: Settings, secret: str) -> Response:
    """Let the browser keep a new session."""
    https = is_https(settings)
    response.set_cookie(
        SECURE if https else PLAIN,
        secret,
        max_age=MAX_AGE_S,
        path="/",
        secure=https,
        httponly=True,
        samesite="lax",
    )
    return response


def drop_cookie(response: Response, settings: Settings) -> Response:
    """Let the browser forget the session."""
    https = is_https(settings)
    name = SECURE if https else PLAIN
    response.delete_cookie(name, path="/", secure=https, httponly=True, samesite="lax")
    return response
