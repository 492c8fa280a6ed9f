"""Finding Celery apps. The rule: an app is reported once it has read its own configuration."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

import celery
from celery import _state

from .engine import CeleryEngine

_engines: WeakKeyDictionary[Any, CeleryEngine] = WeakKeyDictionary()
_listeners: list[Callable[[CeleryEngine], None]] = []


def detect(_settings: object, found: Callable[[CeleryEngine], None]) -> None:
    """Report each Celery app of this process to `found`, now or when it is configured."""
    _listeners.append(found)
    _watch_new_apps()
    for app in sorted(_state._get_active_apps(), key=id):  # noqa: SLF001  (the only list of apps)
        if not _is_fallback(app):
            _follow(app)


def adapt(app: celery.Celery) -> CeleryEngine:
    """Return the one engine of an app."""
    if app not in _engines:
        _engines[app] = CeleryEngine(app)
    return _engines[app]


def _is_fallback(app: Any) -> bool:
    """Whether Celery made this app for code that has none; Django makes its own the default."""
    return app is _state.default_app and app.main == "default"


def _follow(app: Any) -> None:
    if app.configured:
        _report(app)
    else:
        app.on_after_configure.connect(_on_configured, weak=False)


def _on_configured(sender: Any, **_: Any) -> None:
    _report(sender)


def _report(app: celery.Celery) -> None:
    engine = adapt(app)
    for found in _listeners[:]:
        found(engine)


def _watch_new_apps() -> None:
    original = celery.Celery.__init__
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **kwargs)
        _follow(self)

    celery.Celery.__init__ = __init__
