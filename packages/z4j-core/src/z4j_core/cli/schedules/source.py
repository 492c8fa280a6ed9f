"""Where declared schedules stand. The rule: a file is data; only `module:attribute` runs code."""

from __future__ import annotations

import importlib
import json
import sys
import tomllib
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from ...agent.boot import current
from ..remote import USAGE, Failure

_YAML = (".yaml", ".yml")
_SETTING = "SCHEDULES"


def load(where: str | None) -> tuple[Any, str]:
    """What is declared there, and the usual tag. Without a place: what this app declares.

    Raises:
        Failure: 2, there is nothing, or it cannot be read
    """
    if where is None:
        return _of_this_app()
    name, sign, attribute = where.partition(":")
    if sign and not Path(where).exists():
        return _setting(_imported(name, attribute)), ""
    path = Path(where)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Failure(USAGE, f"cannot read {where}: {error.strerror}") from error
    try:
        return _parsed(path.suffix.lower(), data), ""
    except (ValueError, RecursionError) as error:
        raise Failure(USAGE, f"{where}: {error}") from error


def _of_this_app() -> tuple[Any, str]:
    handle = current()
    if handle is None or not handle.settings.schedules:
        raise Failure(USAGE, "this app declares no schedules: name a file, or module:attribute")
    return handle.settings.schedules, handle.settings.app or ""


def _parsed(suffix: str, data: bytes) -> Any:
    if suffix == ".toml":
        return tomllib.loads(data.decode())
    if suffix == ".json":
        return json.loads(data)
    if suffix in _YAML:
        return _yaml(data)
    raise ValueError("its name ends in none of .toml .yaml .yml .json")


def _yaml(data: bytes) -> Any:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as error:
        raise Failure(USAGE, "YAML needs PyYAML: pip install pyyaml") from error
    try:
        return yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _imported(name: str, attribute: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return reduce(getattr, attribute.split("."), importlib.import_module(name))
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise Failure(USAGE, f"{name}:{attribute}: {error}") from error


def _setting(found: Any) -> Any:
    """The schedules of a whole setting `Z4J`, or what was found."""
    return found[_SETTING] if isinstance(found, Mapping) and _SETTING in found else found
