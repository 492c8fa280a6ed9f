"""`manage.py check` for the setting `Z4J`. The rule: each message has an id, a cause and a fix.

All are warnings: a wrong setting of z4j never stops a project.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as project
from django.core.checks import Warning as Caution
from z4j_core.agent.declared import schedule_faults
from z4j_core.agent.policy import PolicyError, parse_policy
from z4j_core.config import Fault, Settings, codes, declared, load
from z4j_core.registry import installed

from .declared import setting

TAG = "z4j"


def settings_check(**_: Any) -> list[Caution]:
    """Everything that is wrong with what the environment and the project say."""
    given, faults = declared(setting())
    loaded = load(framework=given)
    found = (
        *faults, *loaded.faults, *_policy(loaded.settings), *_engines(loaded.settings),
        *schedule_faults(loaded.settings), *_written_down(given),
    )  # fmt: skip
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


def _written_down(given: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Whether the secret of the DSN stands in a settings file.

    Its text decides: what comes from the environment, an .env file or a vault is not in it.
    """
    secret = _secret(given)
    for file in _settings_files() if secret else ():
        if secret in _text(file):
            return (("Z4J-E016", f"the secret of the DSN is written in {file.name}"),)
    return ()


def _secret(given: Mapping[str, Any]) -> str:
    named = {str(key).upper(): value for key, value in given.items()}
    try:
        return urlsplit(str(named.get("DSN") or "")).password or ""
    except ValueError:
        return ""


def _settings_module() -> str:
    return str(getattr(project, "SETTINGS_MODULE", None))


def _settings_files() -> Iterator[Path]:
    """The settings module and what was loaded from beside it: projects keep variants there."""
    main = getattr(sys.modules.get(_settings_module()), "__file__", None)
    if main is None:
        return
    yield Path(main)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file != main and Path(file).parent == Path(main).parent:
            yield Path(file)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _caution(code: str, text: str) -> Caution:
    number = code.removeprefix("Z4J-E")
    hint = f"{codes()[code].fix} More: manage.py z4j explain E{number}"
    return Caution(f"{code} {text}", hint=hint, id=f"z4j.W{number}")
