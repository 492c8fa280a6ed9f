"""The brain's documented REST API, as far as the tour walks it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

TIMEOUT_S = 10.0


class RestError(Exception):
    """The brain answered with a problem; `status` and `code` are its own."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Rest:
    """One project of one brain; `pass_` are the headers that let one in."""

    url: str
    project: str
    pass_: Mapping[str, str]
    timeout_s: float = TIMEOUT_S

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON under `path` of the project."""
        asked = f"?{urlencode(query)}" if query else ""
        return self._send("GET", path + asked, None, {})

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """Post JSON to `path` of the project; header names have `_` for `-`."""
        return self._send("POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()})

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        where = f"{self.url}/api/v1/projects/{quote(self.project)}/{path}"
        headers = {**self.pass_, **headers}
        with _answer(self.url, where, method, body, headers, self.timeout_s) as answer:
            return json.loads(answer.read() or b"null")


def enter(url: str, project: str, link: str) -> Rest:
    """Open a session with a one-time link.

    Raises:
        RestError: the link is used or too old.
    """
    token = link.partition("#")[2]
    where = f"{url}/api/v1/auth/link"
    with _answer(url, where, "POST", {"token": token}, {}) as answer:
        cookies = answer.headers.get_all("Set-Cookie") or []
    cookie = "; ".join(cookie.partition(";")[0] for cookie in cookies)
    return Rest(url, project, {"Cookie": cookie})


def by_token(url: str, project: str, token: str, timeout_s: float = TIMEOUT_S) -> Rest:
    """Come as a program does."""
    return Rest(url, project, {"Authorization": f"Bearer {token}"}, timeout_s)


def _answer(
    url: str, where: str, method: str, body: Any, headers: dict[str, str],
    timeout_s: float = TIMEOUT_S,
) -> Any:  # fmt: skip
    request = Request(  # noqa: S310  the address comes from our own child process
        where,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "X-Z4J": "1", "Origin": url, **headers},
        method=method,
    )
    try:
        return urlopen(request, timeout=timeout_s)  # noqa: S310  as above
    except HTTPError as error:
        raise _problem(error) from error


def _problem(error: HTTPError) -> RestError:
    text = error.read()
    try:
        told = json.loads(text)
    except ValueError:
        return RestError(error.code, "", text[:200].decode("utf-8", "replace"))
    return RestError(error.code, str(told.get("code", "")), str(told.get("detail", "")))
