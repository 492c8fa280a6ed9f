"""Who this process is. The rule: nothing secret, and what cannot be told is left out."""

from __future__ import annotations

import platform
import socket
from importlib.metadata import PackageNotFoundError, version
from os import getpid
from pathlib import Path
from typing import Any

from ..config import Settings


def agent_version() -> str:
    """Version of this package."""
    return version_of("z4j-core") or "0"


def version_of(distribution: str) -> str:
    """Version of an installed distribution; empty where it cannot be told."""
    try:
        return version(distribution)[:64]
    except PackageNotFoundError:
        return ""


def boot_id() -> str:
    """What changes when the host restarts; empty where the platform cannot tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def stream_meta(settings: Settings, role: str, framework: str | None) -> dict[str, Any]:
    """The map that stands at the head of every segment and in REGISTER."""
    known: dict[str, Any] = {
        "host": socket.gethostname()[:256],
        "os": f"{platform.system()} {platform.release()}"[:128],
        "boot": boot_id(),
        "pid": getpid(),
        "role": role,
        "agent": agent_version(),
        "python": platform.python_version(),
        "framework": framework,
        "release": settings.release or None,
        "environment": settings.environment or None,
        "tags": dict(settings.tags),
    }
    return {key: value for key, value in known.items() if value is not None}
