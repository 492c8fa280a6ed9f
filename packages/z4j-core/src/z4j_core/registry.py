"""Finding adapters: entry point group `z4j.engines`. The rule: an unused engine costs nothing.

An adapter is named like its engine's module and is loaded only once that module was imported.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, cast

from .engine import Engine
from .errors import AdapterBroken

GROUP = "z4j.engines"
_DUTIES = ("name", "app", "delivery", "unavailable", "attach", "detach", "discover", "enqueue")
Found = Callable[[Engine], None]
Detect = Callable[[Any, Found], None]


def installed(names: Sequence[str] | None = None) -> dict[str, EntryPoint]:
    """Installed adapters by engine name; `names` keeps only those."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    return {name: point for name, point in found.items() if names is None or name in names}


def load_detect(point: EntryPoint) -> Detect:
    """Import an engine, then its adapter, and return its `detect`.

    In this order, because the import of an engine makes a registry look for its adapter, which must
    not be half imported then.

    Raises:
        AdapterBroken: it does not import, or the entry point is not callable.
    """
    try:
        importlib.import_module(point.name)
        detect = point.load()
    except Exception as error:
        raise AdapterBroken(
            f"adapter {point.name} ({point.value}) does not load: {error!r}"
        ) from error
    if not callable(detect):
        raise AdapterBroken(f"adapter {point.name} ({point.value}) is not callable")
    return cast("Detect", detect)


def verified(name: str, engine: object) -> Engine:
    """`engine`, if it has every duty of the contract; no property of it is evaluated.

    Raises:
        AdapterBroken: names what is missing.
    """
    missing = [duty for duty in _DUTIES if not _has(engine, duty)]
    if missing:
        raise AdapterBroken(f"adapter {name} reported no engine: {', '.join(missing)} missing")
    return cast("Engine", engine)


def _has(engine: object, duty: str) -> bool:
    try:
        inspect.getattr_static(engine, duty)
    except AttributeError:
        return False
    return True


class ImportWatch(importlib.abc.MetaPathFinder):
    """Calls `seen(name)` after a wanted top-level module was imported; imports nothing itself."""

    def __init__(self, wanted: Iterable[str], seen: Callable[[str], None]) -> None:
        self._wanted = set(wanted)
        self._seen = seen
        self._inside = threading.local()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec the other finders give, with a loader that tells when it has run."""
        if fullname not in self._wanted or getattr(self._inside, "busy", False):
            return None
        self._inside.busy = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._inside.busy = False
        if spec is None or spec.loader is None:
            return None
        spec.loader = _Telling(spec.loader, self._told)
        return spec

    def _told(self, name: str) -> None:
        if name in self._wanted:
            self._wanted.discard(name)
            self._seen(name)
        if not self._wanted:
            self.remove()

    def install(self) -> None:
        """Start watching."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop watching; idempotent."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _Telling(importlib.abc.Loader):
    """The original loader and one call after it."""

    def __init__(self, loader: Any, told: Callable[[str], None]) -> None:
        self._loader = loader
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """As the original does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run the module with its own loader back in place, then tell."""
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._told(module.__name__)


class Registry:
    """The adapters of this process; `found(name, engine)` is called per engine, now or later."""

    def __init__(
        self,
        settings: Any,
        found: Callable[[str, Engine], None],
        broken: Callable[[AdapterBroken], None],
        points: Mapping[str, EntryPoint] | None = None,
    ) -> None:
        self._settings = settings
        self._found = found
        self._broken = broken
        self._points = dict(installed(settings.engines) if points is None else points)
        self._watch = ImportWatch(self._absent(), self._detect)

    def start(self) -> None:
        """Detect engines whose module is imported; watch for the rest."""
        absent = set(self._absent())
        if absent:
            self._watch.install()
        for name in self._points:
            if name not in absent:
                self._detect(name)

    def stop(self) -> None:
        """Stop watching."""
        self._watch.remove()

    def _absent(self) -> list[str]:
        return [name for name in self._points if name not in sys.modules]

    def _detect(self, name: str) -> None:
        def report(engine: Engine) -> None:
            self._found(name, verified(name, engine))

        try:
            load_detect(self._points[name])(self._settings, report)
        except AdapterBroken as error:
            self._broken(error)
        except Exception as error:  # a detect of somebody else may raise anything
            self._broken(AdapterBroken(f"adapter {name}: detect failed: {error!r}"))


def adapter_of(obj: object) -> Engine:
    """The engine an installed adapter makes of one object, by its `adapt` function.

    Raises:
        AdapterBroken: no adapter is installed for objects of this kind.
    """
    roots = [kind.__module__.partition(".")[0] for kind in type(obj).__mro__]
    for name, point in installed().items():
        if name in roots:
            module = sys.modules[load_detect(point).__module__.partition(".")[0]]
            adapt = getattr(module, "adapt", None)
            if adapt is not None:
                return verified(name, adapt(obj))
    raise AdapterBroken(
        f"no installed adapter knows a {type(obj).__module__}.{type(obj).__qualname__}"
    )
