"""What an app tells of itself: `doctor --app`. The rule: it is imported and asked, never run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from ...agent.meta import version_of
from ...config import Settings
from ...engine import Engine
from ...errors import AdapterBroken
from ...registry import adapter_of, load_detect
from .local import adapters
from .report import Failure, Said

SHOWN = 5
_BROKEN = (ImportError, AttributeError, LookupError, ValueError, TypeError, RuntimeError, OSError)


class Found(NamedTuple):
    """An engine of the app, and the tasks and queues it knows."""

    engine: Engine
    tasks: list[str]
    queues: list[str]


def find(where: str, settings: Settings) -> list[Found]:
    """Import `module` or `module:object` as `celery -A` and its like do, and ask what is there.

    Raises:
        Failure: Z4J-E201, it does not import, or has no engine that an adapter knows.
    """
    named = _imported(where)
    engines: list[Engine] = []
    for point in adapters(settings).values():
        try:
            load_detect(point)(settings, engines.append)
        except AdapterBroken as error:
            raise Failure(error.code, error.text) from error
    if not engines:  # an app that is not configured yet is not reported before somebody asks it
        if isinstance(named, ModuleType):
            named = getattr(named, "app", None)
        if named is None:
            text = (
                f"{where} makes no app that an installed adapter knows: name it, as module:object"
            )
            raise Failure("Z4J-E201", text)
        engines.append(_adapted(where, named))
    return [_asked(engine) for engine in tuple(engines)]


def tell(found: Found) -> Said:
    """One engine: version, identity, tasks, queues."""
    name = found.engine.name
    text = (
        f"{version_of(name) or 'of unknown version'}, {found.engine.app}, "
        f"{_some(found.tasks, 'task')}, {_some(found.queues, 'queue')}"
    )
    if found.tasks:
        return Said(text)
    return Said(f"{text}: is the module with the tasks imported by the app?", is_warning=True)


def _imported(where: str) -> Any:
    name, _, attribute = where.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = importlib.import_module(name)
        for part in filter(None, attribute.split(".")):
            found = getattr(found, part)
    except _BROKEN as error:
        raise Failure("Z4J-E201", f"{where} cannot be imported: {error!r}") from error
    return found


def _adapted(where: str, named: Any) -> Engine:
    try:
        return adapter_of(named)
    except AdapterBroken as error:
        raise Failure("Z4J-E201", f"{where}: {error.text}") from error


def _asked(engine: Engine) -> Found:
    tasks = sorted(task.name for task in engine.discover())
    ask = getattr(engine, "queues", None)
    queues = sorted(queue.name for queue in ask()) if ask is not None else []
    return Found(engine, tasks, queues)


def _some(names: Iterable[str], what: str) -> str:
    known = list(names)
    if not known:
        return f"no {what}"
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    many = f"{len(known)} {what}{'' if len(known) == 1 else 's'}"
    return f"{many} ({', '.join(known[:SHOWN])}{more})"
