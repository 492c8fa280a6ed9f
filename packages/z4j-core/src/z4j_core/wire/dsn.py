"""The line that connects an app to a brain. The rule: a wrong one is told without the network."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigError
from .codes import PATH
from .keys import Credential, KeyId, encode_key_id, encode_secret, parse_key_id, parse_secret

_PROJECT = re.compile(r"[a-z0-9-]{1,64}")
_PORTS = {"http": 80, "https": 443}
_SOCKETS = {"http": "ws", "https": "wss"}
_EXAMPLE = "https://<key id>:<secret>@host[:port][/prefix]/<project>"


class Dsn(NamedTuple):
    """Where a brain is and who calls it. Its text never holds the secret."""

    scheme: str
    host: str
    port: int
    prefix: str
    project: str
    credential: Credential

    @property
    def origin(self) -> str:
        """Scheme, host and port, as text."""
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"

    @property
    def key_id(self) -> KeyId:
        """Which key this is."""
        return KeyId(self.credential.cred_id, self.credential.kid)

    @property
    def url(self) -> str:
        """The WebSocket URL an agent dials and signs: lower-case host, explicit port."""
        return f"{_SOCKETS[self.scheme]}://{_bracketed(self.host)}:{self.port}{self.prefix}{PATH}"

    def __str__(self) -> str:
        return f"{self.scheme}://{encode_key_id(self.key_id)}:***@{self._place}"

    def __repr__(self) -> str:
        return f"Dsn({self})"

    @property
    def _place(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}{self.prefix}/{self.project}"

    def reveal(self) -> str:
        """The line with its secret, as an operator copies it."""
        secret = encode_secret(self.key_id, self.credential.secret)
        return f"{self.scheme}://{encode_key_id(self.key_id)}:{secret}@{self._place}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _shape(why: str) -> ConfigError:
    return ConfigError("Z4J-E101", f"{why}; a DSN looks like {_EXAMPLE}")


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(text: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _shape("not a URL") from error
    if parts.scheme not in _PORTS or not host:
        raise _shape("not an http or https URL")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise _shape("a DSN has no query and no fragment")
    return parts, host.lower(), port or _PORTS[parts.scheme]


def parse_dsn(text: str) -> Dsn:
    """Read a DSN.

    Raises:
        ConfigError: Z4J-E101 shape or no project, Z4J-E102 typo in the key id, Z4J-E103 typo in
            the secret or another key's, Z4J-E104 plain http to another host.
    """
    parts, host, port = _split(text)
    prefix, _, project = parts.path.rpartition("/")
    if not _PROJECT.fullmatch(project):
        raise _shape("the last part of the path is the project")
    if not parts.username or not parts.password:
        raise _shape("key id or secret is missing")
    key = parse_key_id(parts.username)
    secret = parse_secret(key, parts.password)
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError("Z4J-E104", f"plain http to {host}: only this machine may be dialled so")
    return Dsn(parts.scheme, host, port, prefix, project, Credential(key.cred_id, key.kid, secret))
