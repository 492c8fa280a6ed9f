"""The process: its session, its groups, and what it says. The rule: it never stops trying.

Here the real clock and the real entropy enter.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from z4j_core.agent.endings import ENDS, Ended, Ending, ending_of
from z4j_core.agent.errands import Errands
from z4j_core.agent.items import Source
from z4j_core.agent.link import Link
from z4j_core.agent.meta import stream_meta
from z4j_core.agent.policy import CLOSED
from z4j_core.agent.reconnect import AWAY, CAUSES, Backoff, Complaints
from z4j_core.agent.transport import Transport
from z4j_core.clock import Clock, SystemClock
from z4j_core.config import Dsn, Settings, label, read_dsn
from z4j_core.errors import ConfigError
from z4j_core.invoke import attempt
from z4j_core.wire.bodies import Group as Told
from z4j_core.wire.bodies import Policy, Register, Want, Welcome
from z4j_core.wire.replication import Schedules

from . import __version__
from .group import Group, Tools
from .session import Session

log = logging.getLogger("z4j.scheduler")
ROLE = "scheduler"
LOOK_S = 0.5
HAND_OVER_S = 5.0
"""How long a fire that is on its way is waited for; without one it takes no time."""
_SAY: dict[str, Callable[..., None]] = {
    "info": log.info,
    "warning": log.warning,
    "error": log.error,
}


class Scheduler:
    """Serves the groups of one project that are fired centrally, all of them or those `named`."""

    def __init__(
        self,
        settings: Settings,
        named: Iterable[Source] = (),
        clock: Clock | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.entropy = entropy
        self.errands = Errands()
        self.errands.on_wake = self._wake
        self.changed = threading.Event()
        self.retry_after_s = 0.0
        self.is_connected = False
        self._named = frozenset(named)
        self._groups: dict[Source, Group] = {}
        self._stream = entropy(16)
        self._stopping = threading.Event()
        self._transport = Transport(settings, self.clock)
        self._backoff = Backoff(entropy)
        self._complaints = Complaints(self._say)
        self._started = self.clock.monotonic()
        self._is_greeted = False
        self._thread = threading.Thread(target=self._run, name="z4j-session", daemon=True)

    @property
    def groups(self) -> list[Group]:
        """The groups the brain has named."""
        return list(self._groups.values())

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Hand over what is led from here, then end; usually at once."""
        for group in self.groups:
            group.stop(HAND_OVER_S / max(1, len(self._groups)))
        self._stopping.set()
        self._thread.join(HAND_OVER_S)

    # ------------------------------------------------------------------ what a session asks

    def dial(self, dsn: Dsn) -> Link:
        """Open the way that is due."""
        return self._transport.dial(dsn)

    def register(self, groups: tuple[Told, ...] | None = None) -> Register:
        """The body of REGISTER: no engine, no spool, and nothing that may run here."""
        meta: dict[str, Any] = stream_meta(self.settings, ROLE, None)
        return Register(
            **meta,
            stream=self._stream,
            epoch=1,
            storage="memory",
            clock=self.clock.wall_us(),
            policy=Policy(CLOSED.text, CLOSED.digest),
            apps=(),
            groups=self.told() if groups is None else groups,
        )

    def told(self) -> tuple[Told, ...]:
        """The groups of this process as of now."""
        return tuple(group.told() for group in self.groups)

    def welcomed(self, dsn: Dsn, welcome: Welcome) -> Sequence[Want]:
        """Note that the brain took us."""
        self._complaints.connected()
        self._backoff.cap_s = welcome.backoff_cap_ms / 1000
        self._transport.welcomed()
        self.is_connected = True
        again = "connected again" if self._is_greeted else f"z4j-scheduler {__version__}: connected"
        self._is_greeted = True
        many = len(welcome.groups)
        log.info("%s to %s, %d group%s here", again, label(dsn), many, "" if many == 1 else "s")
        return [
            want
            for newest in welcome.groups
            if (group := self._group(Source(newest.engine, newest.app))) is not None
            for want in group.named(newest.era, newest.revision)
        ]

    def received(self, page: Schedules) -> Sequence[Want]:
        """Take a page of schedules."""
        group = self._group(Source(page.engine, page.app))
        if group is None:
            return []
        stood = group.shelf.stand
        wants = group.take(page)
        if group.shelf.stand != stood:
            self.changed.set()
        return wants

    def wants(self) -> Sequence[Want]:
        """What is wanted of the brain by now."""
        return [want for group in self.groups for want in group.wants()]

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            outcome = attempt(self._one_session)
            if not outcome.ok:
                log.error("the session failed and starts again: %s", outcome.detail)
            self._stopping.wait(outcome.value if outcome.ok else self._backoff.delay(0, 0.0))

    def _one_session(self) -> float:
        """Connect and serve; seconds to wait before the next try."""
        self.retry_after_s = 0.0
        session: Session | None = None
        error: Ended | None = None
        try:
            dsn = read_dsn(self.settings)
            assert dsn is not None
            session = Session(self, dsn)
            session.run(self._is_enough, LOOK_S)
        except ENDS as ended:
            error = ended
            if not isinstance(ended, ConfigError):
                self._transport.failed(ended)
        finally:
            self.is_connected = False
        return self._after(session, error)

    def _after(self, session: Session | None, error: Ended | None) -> float:
        now = self.clock.monotonic()
        open_s = now - session.opened_at if session is not None and session.opened_at else 0.0
        self._backoff.opened(open_s)
        ending = Ending() if error is None else ending_of(error, open_s)
        if ending.code and not self._stopping.is_set():
            loud = CAUSES.get(ending.cause, AWAY).loud
            self._complaints.tell(ending.code, ending.text, loud=loud, now=now)
        return self._backoff.delay(ending.cause, now - self._started, self.retry_after_s)

    def _is_enough(self) -> bool:
        return self._stopping.is_set() or self._transport.is_websocket_open()

    def _group(self, source: Source) -> Group | None:
        """A group that is served here; None for one that is not."""
        if self._named and source not in self._named:
            return None
        group = self._groups.get(source)
        if group is None:
            tools = Tools(self.settings, self.clock, self.entropy, self.errands, self._note)
            group = self._groups[source] = Group(source, tools)
        return group

    def _wake(self) -> None:
        for group in self.groups:
            group.wake()

    def _note(self, code: str, text: str) -> None:
        log.warning("%s %s", code, text)

    def _say(self, level: str, text: str) -> None:
        _SAY[level]("%s", text.replace("; events are kept", ""))
