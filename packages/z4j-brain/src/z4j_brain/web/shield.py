"""The outermost layer. The rule: every answer, of any status, carries the security headers.

Host names that are not ours are refused before anything reads the request, and so is a request
that says twice where it ends: a proxy in front of us may have believed the other one.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import Problem
from ..settings import Settings
from .answers import problem

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), microphone=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NOT_OURS = ("request.host", "this host name is not served here")
TWO_ENDS = ("request.framing", "send a length or chunks, not both")
ENDS = {b"content-length", b"transfer-encoding"}
HSTS = "max-age=31536000"


def own_hosts(settings: Settings) -> frozenset[str]:
    """Host names this server answers to, lower case, without ports."""
    names = {"localhost", "127.0.0.1", "[::1]", *settings.allowed_hosts}
    for url in (settings.public_url, *settings.agent_urls):
        if url:
            names.add(_host_of(urlsplit(url).netloc.rpartition("@")[2]))
    if settings.host not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        names.add(f"[{settings.host}]" if ":" in settings.host else settings.host)
    return frozenset(name.lower() for name in names)


def _host_of(text: str) -> str:
    """`host` of `host:port`, brackets of IPv6 kept; empty when it is neither."""
    host, colon, port = text.rpartition(":")
    if colon and (host.startswith("[") == host.endswith("]")) and "]" not in port:
        return host if port.isdigit() and port.isascii() else ""
    return text


class Shield:
    """ASGI: host allow-list, then headers on whatever answers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.hosts = own_hosts(settings)
        self.https = (settings.public_url or "").startswith("https://")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or _host_of(hosts[0].decode("latin-1").lower()) not in self.hosts:
            await self._refuse(scope, receive, send, NOT_OURS)
            return
        if {name for name, _ in scope["headers"]} >= ENDS:
            await self._refuse(scope, receive, send, TWO_ENDS)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, self._dressed(send))

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, why: tuple[str, str]
    ) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        answer = problem(Problem(*why, status=400), "")
        answer.headers["Connection"] = "close"
        await answer(scope, receive, self._dressed(send))

    def _dressed(self, send: Send) -> Send:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if self.https:
                    headers.setdefault("Strict-Transport-Security", HSTS)
            await send(message)

        return dressed
