"""An HTTP connection to a brain that is not open yet. The rule: HTTPS_PROXY and NO_PROXY hold."""

from __future__ import annotations

import ssl
from base64 import b64encode
from http.client import HTTPConnection, HTTPSConnection
from typing import Protocol
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass


class Host(Protocol):
    """Where a brain is."""

    @property
    def scheme(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


def connection_to(dsn: Host, context: ssl.SSLContext | None) -> HTTPConnection:
    """A connection to the host of `dsn`, through a tunnel where an outbound proxy is set."""
    if dsn.scheme == "http":
        return HTTPConnection(dsn.host, dsn.port)
    proxy = getproxies().get("https")
    if not proxy or proxy_bypass(f"{dsn.host}:{dsn.port}"):
        return HTTPSConnection(dsn.host, dsn.port, context=context)
    way = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    connection = HTTPSConnection(way.hostname or "", way.port or 80, context=context)
    headers = {}
    if way.username:
        login = f"{unquote(way.username)}:{unquote(way.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    connection.set_tunnel(dsn.host, dsn.port, headers)
    return connection
