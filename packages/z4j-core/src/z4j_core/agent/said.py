"""What was said about settings, by whom and when. The rule: nothing that was said is forgotten.

An engine's command line, the framework and the app come to the agent in any order; their words are
added up, and what was said first holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ..config import Loaded, Settings, here, load
from .declared import schedule_faults


class Said(NamedTuple):
    """What code and framework said so far; together with the environment it makes the settings."""

    arguments: Mapping[str, Any] = MappingProxyType({})
    framework: Mapping[str, Any] = MappingProxyType({})
    cwd: Path | None = None

    def load(self) -> Loaded:
        """The settings it makes."""
        loaded = load(self.arguments, framework=self.framework, cwd=self.cwd)
        if not loaded.settings.active:
            return loaded
        return replace(loaded, faults=(*loaded.faults, *schedule_faults(loaded.settings)))

    def and_then(self, later: Said) -> Said:
        """Both, the earlier one first."""
        return Said(
            {**later.arguments, **self.arguments},
            {**later.framework, **self.framework},
            self.cwd or later.cwd,
        )


def said_now(arguments: Mapping[str, Any] | None, framework: Mapping[str, Any] | None) -> Said:
    """What is said here and now; None says nothing."""
    return Said(_given(arguments), _given(framework), here())


def changed(before: Settings, after: Settings) -> list[str]:
    """Names of the settings that differ."""
    names = [field.name for field in fields(Settings)]
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def _given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (values or {}).items() if value is not None}
