"""Tracebacks as frames. The rule: text is read line by line, nothing in it is ever resolved."""

from __future__ import annotations

import re
from typing import Any

_FRAME = re.compile(r'  File "([^"\n]{1,512})", line (\d{1,9})(?:, in (.{1,256}))?')
_LIBRARY = ("site-packages", "dist-packages", "/lib/python", "\\lib\\python", "<frozen ")
_CAUSES = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}
MOST = 200


def in_app(file: str) -> bool:
    """Whether a file is the app's own rather than a library's."""
    folded = file.lower()
    return not any(part in folded for part in _LIBRARY)


def frames_of(text: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Frames of the last exception, and the chain before it: what it was raised from."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        kind = _CAUSES.get(line.strip())
        if kind is None:
            parts[-1][1].append(line)
        else:
            parts.append((kind, []))
    blocks = [(_frames(lines), _last(lines)) for _, lines in parts]
    chain = [
        _cause(parts[index + 1][0], blocks[index][1], blocks[index][0])
        for index in range(len(blocks) - 1)
    ]
    return blocks[-1][0], chain


def _cause(kind: str, line: str, frames: list[dict[str, Any]]) -> dict[str, Any]:
    """An earlier exception in the shape of the last one."""
    name, _, message = line.partition(": ")
    text = {"flags": 0, "size": len(message.encode()), "text": message}
    return {
        "kind": kind, "type": name, "message": text, "traceback": None, "frames": frames,
        "chain": [],
    }  # fmt: skip


def _frames(lines: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for index, line in enumerate(lines):
        match = _FRAME.match(line)
        if match is None:
            continue
        below = lines[index + 1] if index + 1 < len(lines) else ""
        code = below.strip() if below.startswith("    ") else ""
        found.append(
            {
                "file": match[1],
                "line": int(match[2]),
                "function": match[3] or "",
                "code": code[:400],
                "in_app": in_app(match[1]),
            }
        )
    return found[-MOST:]


def _last(lines: list[str]) -> str:
    """The line that names the exception: the last one that is not indented."""
    return next((line for line in reversed(lines) if line and not line.startswith(" ")), "")[:400]
