"""Starting the agent of this process, once. The rule: inert without a DSN, and idempotent.

Nothing is silent, and no exception goes into the app unless it asked for them.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..config import Fault, Loaded, Settings, label, load, summary
from ..engine import Engine
from ..errors import AdapterBroken, ConfigError
from ..registry import Registry, adapter_of
from .declared import learn
from .runs import CURRENT
from .said import Said, changed, said_now

if TYPE_CHECKING:
    from .process import Process

EXIT_DRAIN_S = 2.0
log = logging.getLogger("z4j")


class Handle:
    """The agent of this process as the app sees it; without a DSN it does nothing."""

    def __init__(self, loaded: Loaded) -> None:
        self.settings: Settings = loaded.settings
        self.faults: tuple[Fault, ...] = loaded.faults
        self.broken: list[str] = []
        self.said = Said()
        self._process: Process | None = None
        self._registry: Registry | None = None

    @property
    def is_active(self) -> bool:
        """Whether events are recorded."""
        return self._process is not None

    @property
    def has_begun(self) -> bool:
        """Whether a spool is open: from here on the settings are what they are."""
        return self._process is not None and self._process.writer is not None

    @property
    def process(self) -> Process | None:
        """What records and sends; None when inert."""
        return self._process

    def status(self) -> dict[str, Any]:
        """Where this process stands, as plain data."""
        process, dsn = self._process, self.settings.dsn
        known: dict[str, Any] = {
            "active": self.is_active,
            "brain": label(dsn) if dsn else None,
            "policy": self.settings.allow,
            "faults": [f"{code} {text}" for code, text in self.faults] + self.broken,
            "engines": [],
        }
        if process is not None:
            spool = process.spool
            usage = spool.usage() if spool is not None else None
            known |= {
                "connected": process.is_connected,
                "transport": process.transport if process.is_connected else None,
                "trouble": "" if process.is_connected else process.trouble,
                "engines": [emitter.engine.name for emitter in process.emitters],
                "hook_errors": process.counters.hook_errors,
                "guard_skipped": process.counters.guard_skipped,
                "storage": spool.storage if spool is not None else None,
                "spool_bytes": usage.bytes if usage else 0,
                "lost": process.lost,
            }
        return known

    def flush(self, timeout_s: float = EXIT_DRAIN_S) -> bool:
        """Wait until all events so far are stored by the brain; whether they are."""
        return self._process is None or self._process.flush(timeout_s)

    def close(self, timeout_s: float = EXIT_DRAIN_S) -> None:
        """Send what is left for at most `timeout_s` seconds, take the hooks out and stop."""
        self._stop(timeout_s)
        _forget(self)

    def restart(self, loaded: Loaded) -> None:
        """Begin again under other settings; only before anything was recorded."""
        self._stop(0)
        self.settings, self.faults, self.broken = loaded.settings, loaded.faults, []
        self._process = self._registry = None
        self.start()

    def _stop(self, timeout_s: float) -> None:
        if self._registry is not None:
            self._registry.stop()
        if self._process is not None:
            for emitter in self._process.emitters:
                emitter.detach()
            self._process.close(timeout_s)
        CURRENT.set(None)

    def attach(self, engine: Engine) -> Engine:
        """Observe one engine."""
        if self._process is not None:
            self._process.add(engine)
        return engine

    def become(self, role: str, framework: str | None = None) -> None:
        """Say what this process is (web, worker, beat, scheduler, script) before it records."""
        if self._process is not None:
            self._process.role = role
            self._process.framework = framework or self._process.framework

    def start(self) -> None:
        """Find engines; opens no socket and starts no thread."""
        if not self.settings.active:
            return
        from .agent import make_process  # noqa: PLC0415 - msgpack is loaded only when needed

        self._process = make_process(self.settings)
        learn(self._process)
        atexit.register(self._process.close, EXIT_DRAIN_S)
        self._registry = Registry(self.settings, self._found, self._broken)
        self._registry.start()
        if self.settings.scheduler == "only":
            self._process.own("scheduler")

    @property
    def stream_path(self) -> str:
        """Where this process writes, for a spawned child's `write_to`; empty in memory."""
        process = self._process
        return process.path if process is not None and process.begin() else ""

    def write_to(self, path: str) -> None:
        """Write to the stream of the process that spawned this one, and never connect."""
        if self._process is not None and path:
            self._process.write_to(path)

    def _found(self, name: str, engine: Engine) -> None:
        if self.settings.engines is not None and name not in self.settings.engines:
            return
        try:
            self.attach(engine)
        except Exception as error:  # hooks of an adapter must not take the app down
            self._broken(AdapterBroken(f"adapter {name} cannot be attached: {error!r}"))

    def _broken(self, error: AdapterBroken) -> None:
        self.broken.append(str(error))
        log.error("z4j: %s", error)
        if self.settings.strict:
            raise error


_lock = threading.RLock()
_current: list[Handle] = []


def current() -> Handle | None:
    """The handle of this process, if there is one."""
    return _current[0] if _current else None


def start(
    arguments: Mapping[str, Any] | None = None,
    framework: Mapping[str, Any] | None = None,
    *,
    role: str | None = None,
    framework_name: str | None = None,
) -> Handle:
    """Start the agent of this process, or return the one there is.

    What a later call says is added to what was said before, in whichever order an engine's command
    line, a framework and the app come to it; what was said first holds.

    Raises:
        ConfigError: only under the setting `strict`.
    """
    with _lock:
        said = said_now(arguments, framework)
        handle = current()
        if handle is None:
            handle = _started(said)
        else:
            _add(handle, said)
        if role is not None:
            handle.become(role, framework_name)
        return handle


def autostart(engine: str | None = None) -> Handle | None:
    """Start from environment or .z4j/dev.json alone; without a DSN nothing happens.

    For entry points that an engine's own command line loads before the app.
    """
    try:
        loaded = load()
        log.debug("z4j: started with %s", engine or "the interpreter")
        if current() is not None or not (loaded.settings.active or loaded.faults):
            return current()
        return start()
    except ConfigError:
        if load().settings.strict:
            raise
        return None


def instrument(obj: Any) -> Engine:
    """Observe one app, broker or queue object that was not found by itself.

    Raises:
        AdapterBroken: no installed adapter knows objects of this kind.
    """
    engine = adapter_of(obj)
    handle = current() or start()
    return handle.attach(engine)


def status() -> str:
    """One line for people."""
    handle = current()
    if handle is None or not handle.is_active:
        faults = summary(handle.faults) if handle else ""
        return f"z4j: inactive, {faults or 'no DSN (set Z4J_DSN)'}"
    known = handle.status()
    engines = ", ".join(known["engines"]) or "no engine yet"
    state = "connected" if known["connected"] else known["trouble"] or "not connected yet"
    return f"z4j: {known['brain']} · {engines} · policy {known['policy']} · {state}"


def _add(handle: Handle, said: Said) -> None:
    both = handle.said.and_then(said)
    loaded = both.load()
    if _differs(handle, said.load().settings) and not _differs(handle, loaded.settings):
        text = "z4j is already started with another DSN; the first one holds"
        _tell((("Z4J-E012", text),), loaded.settings)
    _tell(tuple(fault for fault in loaded.faults if fault not in handle.faults), loaded.settings)
    handle.faults = loaded.faults
    if loaded.settings == handle.settings:
        return
    if handle.has_begun:
        names = ", ".join(changed(handle.settings, loaded.settings))
        _tell((("Z4J-E015", f"{names}: said after this process began to record"),), loaded.settings)
        return
    handle.said = both
    _begin(handle, lambda: handle.restart(loaded))


def _started(said: Said) -> Handle:
    loaded = said.load()
    handle = Handle(loaded)
    handle.said = said
    _tell(loaded.faults, loaded.settings)
    if not loaded.settings.active and not loaded.faults and loaded.settings.enabled:
        log.info("z4j: no DSN, nothing is recorded (set Z4J_DSN)")
    _current[:] = [handle]
    _begin(handle, handle.start)
    return handle


def _begin(handle: Handle, how: Callable[[], None]) -> None:
    try:
        how()
    except AdapterBroken:
        raise
    except Exception:  # the app goes on without us
        log.exception("z4j: could not start, nothing is recorded")
        if handle.settings.strict:
            raise


def _forget(handle: Handle) -> None:
    if current() is handle:
        _current.clear()


def _differs(handle: Handle, settings: Settings) -> bool:
    mine, theirs = handle.settings.dsn, settings.dsn
    return theirs is not None and mine is not None and theirs != mine


def _tell(faults: tuple[Fault, ...], settings: Settings) -> None:
    if not faults:
        return
    if settings.strict:
        raise ConfigError(faults[0][0], summary(faults))
    count = "a setting is" if len(faults) == 1 else f"{len(faults)} settings are"
    log.warning("z4j: %s wrong: %s", count, summary(faults))
