"""The agent: what runs inside the processes of an app. Importing starts nothing and is light."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .boot import Handle, current, instrument, start, status

__all__ = ["Handle", "autostart", "current", "instrument", "start", "status"]


def autostart(engine: str | None = None) -> Handle | None:
    """Start from environment or .z4j/dev.json alone; without a DSN nothing happens.

    For entry points that an engine's own command line loads before the app, and for start-up
    hooks of the interpreter: where nothing is configured it costs some microseconds.
    """
    if not any(key.startswith("Z4J_") for key in os.environ) and not _has_dev_file():
        return None
    from .boot import autostart as begin  # noqa: PLC0415 - loaded only where there is a DSN

    return begin(engine)


def _has_dev_file() -> bool:
    try:
        here = Path.cwd()
    except OSError:
        return False
    return any((folder / ".z4j" / "dev.json").exists() for folder in (here, *here.parents))


def __getattr__(name: str) -> Any:
    """Load a name from `boot` when it is first used."""
    if name in __all__:
        return getattr(import_module(".boot", __name__), name)
    raise AttributeError(name)
