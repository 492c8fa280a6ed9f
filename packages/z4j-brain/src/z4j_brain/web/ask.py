"""One request with what was proven about it. The rule: what is read is typed and bounded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from ..errors import Invalid, NotFound, Problem
from .context import Brain, Principal, Project

T = TypeVar("T")
MAX_BODY = 1 << 20
MAX_DEPTH = 16
MAX_DIGITS = 12
MAX_SEGMENT = 512
QUOTE, BACKSLASH = b'"\\'


@dataclass(slots=True)
class Ask:
    """A request, who asks, and for which project."""

    request: Request
    brain: Brain
    who: Principal | None = None
    of: Project | None = None
    args_visible: bool = False

    @property
    def principal(self) -> Principal:
        """Who asks; only of routes that need somebody."""
        if self.who is None:
            raise Problem("auth.required", "sign in first", status=401)
        return self.who

    @property
    def project(self) -> Project:
        """The project of the path; only of routes below a project."""
        if self.of is None:
            raise NotFound("not_found", "no such project")
        return self.of

    def path(self, name: str) -> str:
        """A segment of the path; control characters are unknown things."""
        text = str(self.request.path_params[name])
        if len(text) > MAX_SEGMENT or not text.isprintable():
            raise NotFound("not_found", "no such thing")
        return text

    def text(self, name: str, default: str = "") -> str:
        """A query parameter as text without NUL and lone surrogates."""
        text = self.request.query_params.get(name, default)
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise Invalid("request.invalid", "this character is not allowed", field=name)
        return text

    def number(self, name: str, default: int, most: int) -> int:
        """A query parameter as a whole number from 0; more than `most` is `most`."""
        text = self.text(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS:
            raise Invalid("request.invalid", f"{name} is a whole number", field=name)
        return min(int(text), most)

    async def body(self, shape: type[T], deepest: int = MAX_DEPTH) -> T:
        """The JSON body as `shape`, nested at most `deepest` levels.

        Raises:
            Problem: 413 too long, 415 no JSON, 422 not of this shape.
        """
        kind = self.request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem("request.type", "send application/json", status=415)
        raw = await self.raw()
        if nesting(raw) > deepest:
            raise Invalid("request.invalid", f"at most {deepest} levels deep")
        try:
            return msgspec.json.decode(raw, type=shape)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Invalid("request.invalid", str(error)[:200]) from error

    async def raw(self) -> bytes:
        """The body, at most 1 MiB, uncompressed."""
        if self.request.headers.get("content-encoding", "identity") != "identity":
            raise Problem("request.type", "send an uncompressed body", status=415)
        parts: list[bytes] = []
        size = 0
        async for part in self.request.stream():
            size += len(part)
            if size > MAX_BODY:
                raise Problem("request.size", "at most 1 MiB", status=413)
            parts.append(part)
        return b"".join(parts)

    @property
    def address(self) -> str:
        """Where the request came from, as the server sees it."""
        return self.request.client.host if self.request.client else ""


def nesting(raw: bytes) -> int:
    """How deep brackets nest outside of strings; cost is linear."""
    deepest = depth = 0
    in_text = escaped = False
    for byte in raw:
        if in_text:
            in_text = escaped or byte != QUOTE
            escaped = byte == BACKSLASH and not escaped
        elif byte == QUOTE:
            in_text, escaped = True, False
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def json_text(value: Any) -> str:
    """Compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
