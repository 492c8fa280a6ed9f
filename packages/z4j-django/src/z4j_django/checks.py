"""`manage.py check` for the setting `Z4J`. The rule: each message has an id, a cause and a fix.

All are warnings: a wrong setting of z4j never stops a project.
"""

from __future__ import annotations

from typing import Any

from django.core.checks import Warning as Caution
from z4j_core.agent.policy import PolicyError, parse_policy
from z4j_core.config import Fault, Settings, codes, load
from z4j_core.registry import installed

from .declared import declared

TAG = "z4j"


def settings_check(**_: Any) -> list[Caution]:
    """Everything that is wrong with what the environment and the project say."""
    given, faults = declared()
    loaded = load(framework=given)
    found = (*faults, *loaded.faults, *_policy(loaded.settings), *_engines(loaded.settings))
    return [_caution(code, text) for code, text in found]


def _policy(settings: Settings) -> tuple[Fault, ...]:
    try:
        parse_policy(settings.allow)
    except PolicyError as error:
        return (("Z4J-E013", f"ALLOW cannot be read, observe holds: {error}"),)
    return ()


def _engines(settings: Settings) -> tuple[Fault, ...]:
    if not settings.active or installed(settings.engines):
        return ()
    wanted = "" if settings.engines is None else " of " + ", ".join(settings.engines)
    return (("Z4J-E201", f"no adapter{wanted} is installed"),)


def _caution(code: str, text: str) -> Caution:
    number = code.removeprefix("Z4J-E")
    hint = f"{codes()[code].fix} More: manage.py z4j explain E{number}"
    return Caution(f"{code} {text}", hint=hint, id=f"z4j.W{number}")
