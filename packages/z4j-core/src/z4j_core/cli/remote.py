"""A brain over its REST API, as commands use it. The rule: the token goes to its brain alone.

Where it is: `Z4J_URL` and `Z4J_TOKEN`, else `.z4j/dev.json` here or above, else `z4j login`.
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from ..errors import ConfigError, Z4JError
from ..tls import away, context_of, refusal, refusal_in
from ..wire.dsn import is_loopback
from .tls import NO_FILES, Files, files_of

USAGE, FAILED, AWAY, REFUSED = 2, 1, 3, 4
TIMEOUT_S = 15.0
_MAX_BYTES = 32 << 20
_DEV = Path(".z4j") / "dev.json"
_NOT_SIGNED_IN = (
    "no brain: run `z4j login <url>`, set Z4J_URL and Z4J_TOKEN, or work below a `z4j dev`"
)


class Failure(Z4JError):
    """A command ends with exit status `status`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Host(NamedTuple):
    """Scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Place:
    """A brain and what lets one in. `token` is a secret; `project` the usual one."""

    url: str
    token: str = field(repr=False, default="")
    project: str = "main"

    @property
    def host(self) -> Host:
        """Where that is."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return Host(parts.scheme, parts.hostname or "", port)


class _Straight(HTTPRedirectHandler):
    """Follows no redirect: a token is not carried elsewhere."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Say that there is nowhere else to go."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Requests to one brain. `cookie` is that of a session, where there is no token."""

    place: Place
    cookie: str = field(repr=False, default="")
    timeout_s: float = TIMEOUT_S
    files: Files = NO_FILES

    def get(self, path: str, **query: Any) -> Any:
        """The JSON under `path` of the project, or from the root where it begins with `/`.

        Raises:
            Failure: with the exit status of its cause.
        """
        asked = {name: value for name, value in query.items() if value is not None}
        return self.send("GET", path + (f"?{urlencode(asked)}" if asked else ""))[0]

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """Post JSON; header names have `_` for `-`.

        Raises:
            Failure: as `get`.
        """
        return self.send("POST", path, body, headers)[0]

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Any, str]:
        """The JSON of the answer and the session cookie it set.

        Raises:
            Failure: as `get`.
        """
        more = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        request = Request(  # noqa: S310 - the scheme is checked where the place is made
            self._where(path),
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-Z4J": "1", **self._proof(), **more},
            method=method,
        )
        context = self._context()
        ways = [_Straight(), *([HTTPSHandler(context=context)] if context else [])]
        try:
            with build_opener(*ways).open(request, timeout=self.timeout_s) as answer:
                cookies = answer.headers.get_all("Set-Cookie") or [""]
                return json.loads(answer.read(_MAX_BYTES) or b"null"), cookies[0].partition(";")[0]
        except HTTPError as error:
            raise _refusal(error, self.place.host) from error
        except (URLError, HTTPException, OSError) as error:
            raise self._away(error, context) from error
        except ValueError as error:
            raise Failure(AWAY, f"Z4J-E108 {self.place.url} is not a z4j brain") from error

    def _context(self) -> ssl.SSLContext | None:
        if self.files.tls_key and not self.files.tls_cert:
            raise Failure(USAGE, "Z4J-E014 tls_key: a key without tls_cert, its certificate")
        try:
            return context_of(self.place.host, self.files)
        except ConfigError as error:
            raise Failure(USAGE, str(error)) from error

    def _away(self, error: Exception, context: ssl.SSLContext | None) -> Failure:
        why: Any = error.reason if isinstance(error, URLError) else error
        found = refusal(why, self.place.host, context)
        if found is None and isinstance(why, ssl.SSLError):
            found = away(why, self.place.host)
        if found is not None:
            return Failure(AWAY, f"{found.code} {found}")
        return Failure(AWAY, f"Z4J-E106 {self.place.url} does not answer: {why}")

    def _where(self, path: str) -> str:
        below = path if path.startswith("/") else f"/projects/{quote(self.place.project)}/{path}"
        return f"{self.place.url}/api/v1{below}"

    def _proof(self) -> dict[str, str]:
        if self.place.token:
            return {"Authorization": f"Bearer {self.place.token}"}
        if self.cookie:
            return {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        return {}


def _refusal(error: HTTPError, host: Host) -> Failure:
    body = error.read(_MAX_BYTES)
    if refused := refusal_in(error.code, body, host):
        return Failure(AWAY, f"{refused.code} {refused}")
    try:
        told = json.loads(body)
        text = f"{told['detail']} ({told['code']})"
    except (ValueError, KeyError, TypeError):
        return Failure(AWAY, f"Z4J-E108 not a z4j brain: it answered {error.code}")
    if isinstance(told.get("column"), int):
        text = f"column {told['column'] + 1}: {text}"
    if told.get("pointer"):
        text = f"{told['pointer']}: {text}"
    if told.get("hint"):
        text = f"{text}; {told['hint']}"
    statuses = {401: REFUSED, 403: REFUSED, 404: FAILED, 422: USAGE}
    return Failure(statuses.get(error.code, FAILED), text)


def remote_of(options: argparse.Namespace) -> Remote:
    """The brain that is meant here, with the files for TLS that were typed or set.

    Raises:
        Failure: as `place_of`.
    """
    place = place_of(os.environ, Path.cwd(), options.project)
    return Remote(place, files=files_of(options, os.environ))


def place_of(environ: Mapping[str, str], cwd: Path, project: str | None = None) -> Place:
    """The brain that is meant here.

    Raises:
        Failure: 2, there is none, or its URL would carry the token in the clear.
    """
    found = _of_environment(environ) or _of_dev(cwd) or kept(login_file(environ))
    if found is None:
        raise Failure(USAGE, _NOT_SIGNED_IN)
    return Place(checked(found.url), found.token, project or found.project)


def checked(url: str) -> str:
    """`url` without its last slash.

    Raises:
        Failure: 2, not a URL, or http to another host.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Failure(USAGE, f"{url!r} is not an http or https URL")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Failure(USAGE, f"Z4J-E104 plain http to {parts.hostname}: the token would be seen")
    return url.rstrip("/")


def login_file(environ: Mapping[str, str]) -> Path:
    """Where `z4j login` keeps what it was given."""
    config = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "z4j" / "login.json"


def keep(place: Place, path: Path) -> None:
    """Store a place, readable by its owner alone from the first byte."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    row = {"url": place.url, "project": place.project, "token": place.token}
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(row, file)
    fresh.replace(path)


def _of_environment(environ: Mapping[str, str]) -> Place | None:
    if not environ.get("Z4J_URL") or not environ.get("Z4J_TOKEN"):
        return None
    return Place(environ["Z4J_URL"], environ["Z4J_TOKEN"])


def _of_dev(cwd: Path) -> Place | None:
    found = (kept(folder / _DEV) for folder in (cwd, *cwd.parents))
    return next((each for each in found if each is not None), None)


def kept(path: Path) -> Place | None:
    """A stored place, if it is ours and nobody else can read it."""
    try:
        info = path.stat()
        if info.st_uid != os.getuid() or info.st_mode & 0o077:
            return None
        row = json.loads(path.read_text(encoding="utf-8"))
        return Place(str(row["url"]), str(row["token"]), str(row["project"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
