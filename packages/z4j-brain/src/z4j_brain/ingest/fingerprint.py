"""Which failures are the same. The rule: numbers, ids and quoted text never split a group.

`fp1` = type and the five deepest frames of the app, else type and the normalised message.
"""

from __future__ import annotations

import re
from hashlib import blake2b

_FRAME = re.compile(r'^\s*File "([^"\n]+)", line \d+, in (\S+)', re.MULTILINE)
_LIBRARY = ("site-packages", "dist-packages", "/lib/python", "<frozen")
_NOISE = re.compile(
    r"'[^'\n]*'|\"[^\"\n]*\"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b0x[0-9a-f]+\b|\b[0-9a-f]{12,}\b|\d+",
    re.IGNORECASE,
)


def fingerprint(exc_type: str, message: str | None, traceback: str | None) -> str:
    """Group of a failure, `fp1:` and 20 hex digits."""
    frames = [
        f"{path.rsplit('/', 1)[-1]}.{function}"
        for path, function in _FRAME.findall(traceback or "")
        if not any(part in path for part in _LIBRARY)
    ]
    basis = "\n".join(frames[-5:]) or _NOISE.sub("#", message or "")
    digest = blake2b(f"{exc_type}\0{basis}".encode(), digest_size=10).hexdigest()
    return f"fp1:{digest}"
