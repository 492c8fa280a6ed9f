"""What a framework's setting `Z4J` says. The rule: whatever it is, reading it raises nothing.

The environment beats it, as everywhere in z4j.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .settings import Fault, Settings

NAME = "Z4J"
_KNOWN = frozenset(field.name for field in fields(Settings)) - {"dsn_from", "schedules"}


def declared(given: object) -> tuple[Mapping[str, Any], tuple[Fault, ...]]:
    """The setting as a mapping with upper-case keys, and what is wrong with its form."""
    if isinstance(given, Mapping):
        return given, ()
    if not given:
        return {}, ()
    kind = type(given).__name__
    return {}, (("Z4J-E014", f'{NAME} is a {kind}, expected a dict like {{"RELEASE": "1.4"}}'),)


def as_environment(given: Mapping[str, Any]) -> dict[str, str]:
    """The same settings as environment variables, for commands that know no framework."""
    named = {str(key).lower(): value for key, value in given.items()}
    return {
        f"Z4J_{key.upper()}": _text(value)
        for key, value in named.items()
        if key in _KNOWN and value is not None
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Mapping):
        return ",".join(f"{name}={text}" for name, text in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(str(item) for item in value)
    return str(value)
