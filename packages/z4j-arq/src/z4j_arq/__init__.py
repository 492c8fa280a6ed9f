"""The arq adapter of z4j. The rule: importing this imports neither arq nor anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine import ArqEngine
    from .places import adapt, detect

__all__ = ["ArqEngine", "adapt", "detect"]
_HOMES = {"ArqEngine": "engine", "adapt": "places", "detect": "places"}


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first used."""
    if name not in _HOMES:
        raise AttributeError(name)
    from importlib import import_module  # noqa: PLC0415  (keeps the package light)

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
