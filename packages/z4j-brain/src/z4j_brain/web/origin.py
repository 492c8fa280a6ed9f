"""Cross-site requests. The rule: an unsafe request comes from our own pages or carries no cookie.

Browsers send Sec-Fetch-Site only to https and localhost, hence the Origin branch.
"""

from __future__ import annotations

from starlette.requests import Request

from ..errors import Forbidden
from ..settings import Settings


def own_origin(request: Request, settings: Settings) -> str:
    """`scheme://host` people see; the host has passed the allow-list."""
    if settings.public_url:
        return settings.public_url.rstrip("/").lower()
    return f"{request.url.scheme}://{request.headers['host']}".lower()


def refuse_cross_site(
    request: Request, settings: Settings, *, cookie: bool, marked: bool = True
) -> None:
    """Refuse what another site may have sent.

    `marked`: the header `X-Z4J: 1` is needed too (not for streams and form posts).

    Raises:
        Forbidden: `request.cross_site`.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        fine = site == "same-origin"
    elif origin is not None:
        fine = origin.lower() == own_origin(request, settings)
    else:
        fine = not cookie
    if not fine:
        raise Forbidden("request.cross_site", "this request came from another site")
    if marked and request.headers.get("x-z4j") != "1":
        raise Forbidden("request.cross_site", "send the header X-Z4J: 1")
