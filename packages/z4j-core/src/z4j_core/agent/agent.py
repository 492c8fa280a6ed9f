"""The agent of one process. The rule: whatever fails in its thread is told and tried again.

Here the real clock and the real entropy enter.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

from ..clock import SystemClock
from ..config import Dsn, Settings, label, read_dsn
from ..errors import ConfigError, WireError
from ..spool import AdoptedStream, Spool
from ..wire.bodies import App, Register, Welcome
from .banner import banner, kept
from .boundary import pack
from .commands import Commands
from .endings import ENDS, Ended, Ending, ending_of
from .hosting import open_host
from .items import Source, lost_item, note_item, worker_item
from .journal import Journal, read_journal
from .link import Link
from .policy import CLOSED, Policy, PolicyError, parse_policy
from .process import Process
from .reconnect import (
    AWAY,
    CAUSES,
    SUPERSEDED,
    Backoff,
    Complaints,
)
from .register import register
from .sender import Batches, Sender
from .session import Session
from .transport import POLL, Transport

DRAIN_S = 2.0
UPKEEP_S = 0.2
ADOPT_S = 5.0
_DIED = 4
_SHED_REASON = 5
log = logging.getLogger("z4j")
_SAY: dict[str, Callable[..., None]] = {
    "info": log.info,
    "warning": log.warning,
    "error": log.error,
}


def make_process(settings: Settings) -> Process:
    """The one process object of this interpreter, with the real clock and entropy."""
    clock, entropy = SystemClock(), os.urandom

    def run(process: Process) -> None:
        while Agent(process).run():
            process.renew()

    return Process(settings, clock, entropy, run)


def policy_of(settings: Settings) -> Policy:
    """The local policy; one that cannot be read permits nothing but to look."""
    try:
        return parse_policy(settings.allow)
    except PolicyError as error:
        log.warning("z4j: Z4J-E013 Z4J_ALLOW cannot be read, policy is observe: %s", error)
        return CLOSED


class Agent:
    """What runs in the agent's thread."""

    def __init__(self, process: Process) -> None:
        assert process.spool is not None
        self.process = process
        self.spool: Spool = process.spool
        self.policy = policy_of(process.settings)
        self.batches = Batches()
        self.retry_after_s = 0.0
        self._clock = process.clock
        self._transport = Transport(process.settings, self._clock)
        self._backoff = Backoff(process.entropy)
        self._complaints = Complaints(self._say)
        self._started = self._dialled = self._clock.monotonic()
        self._upkeep_at = self._adopt_at = 0.0
        self._evicted = self._dropped = 0
        self._is_greeted = self._is_introduced = False
        self._is_superseded = False
        process.groups.arm(self.policy, open_host)
        self.commands = Commands(
            emitters=lambda: self.process.emitters,
            policy=self.policy,
            journal=Journal(Path(self.spool.journal_path)) if self.spool.journal_path else None,
            replays=process.replays,
            clock=self._clock,
            answer=self._answer,
        )
        self.commands.registered = process.registered

    def run(self) -> bool:
        """Keep sessions open until the process stops; True: go on with a new stream."""
        if self.spool.storage != "disk":
            log.warning("z4j: Z4J-E120 events are held in memory only: %s", self.spool.note)
        elif "; not used: " in self.spool.note:
            log.warning("z4j: Z4J-E123 events are kept in %s", self.spool.note)
        self.look_again()
        while True:
            try:
                delay_s = self._one_session()
            except Exception:  # the supervisor: nothing that fails here may end the sending
                log.exception("z4j: the agent failed and starts again")
                delay_s = self._backoff.delay(0, 0.0)
            self.process.caught_up.set()
            if self.process.stopping.is_set():
                break
            self._rest(delay_s)
            if self._is_superseded:
                break
        self.process.replays.write_pending()
        self.commands.stop()
        return self._is_superseded and not self.process.stopping.is_set()

    def dial(self, dsn: Dsn) -> Link:
        """Open the way that is due; says which one."""
        link = self._transport.dial(dsn)
        self.process.transport = self._transport.name
        return link

    def register(self, apps: tuple[App, ...] | None = None) -> Register:
        """The body of REGISTER."""
        return register(self.process, self.policy, apps)

    def welcomed(self, dsn: Dsn, welcome: Welcome) -> None:
        """Note that the brain took us."""
        self._complaints.connected()
        self._backoff.cap_s = welcome.backoff_cap_ms / 1000
        if self.process.trouble:
            log.info("z4j: connected again to %s", label(dsn))
        self.process.is_connected, self.process.trouble = True, ""
        if not self._is_greeted:
            self._is_greeted = self._is_introduced = True
            took_ms = int((self._clock.monotonic() - self._dialled) * 1000)
            told = banner(self.process, self.policy.text, f"connected in {took_ms} ms")
            log.info("z4j: %s", told)
        if self._transport.welcomed():
            self._tell_transport(dsn)

    def _tell_transport(self, dsn: Dsn) -> None:
        if self._transport.name != POLL:
            log.info("z4j: connected to %s by WebSocket again", label(dsn))
            return
        log.warning(
            "z4j: Z4J-E109 no WebSocket gets through to %s (%s): HTTPS requests are used instead",
            label(dsn),
            self._transport.cause,
        )

    def _say(self, level: str, text: str) -> None:
        """Say a line; the first one of this process also says who speaks."""
        if not self._is_introduced:
            text = banner(self.process, self.policy.text, text)
        self._is_introduced = True
        _SAY[level]("z4j: %s", text)

    def look_again(self) -> None:
        """Ask each engine again what it knows and offers."""
        for emitter in self.process.emitters:
            emitter.rediscover()

    def upkeep(self) -> None:
        """What has to be done now and then, connected or not."""
        now = self._clock.monotonic()
        self.process.groups.watch()
        if now < self._upkeep_at:
            return
        self._upkeep_at = now + UPKEEP_S
        self.process.settle_due()
        self.spool.sync()
        self.process.replays.write_pending()
        self.process.groups.upkeep()
        self._tell_shed()
        if now >= self._adopt_at:
            self._adopt_at = now + ADOPT_S
            self.spool.evict()
            self._tell_evicted()
            self._tell_dropped()
            for stream in self.spool.adopt():
                self._take_over(stream)

    def _one_session(self) -> float:
        """Connect and serve; seconds to wait before the next try."""
        self._dialled = self._clock.monotonic()
        self.retry_after_s = 0.0
        session: Session | None = None
        error: Ended | None = None
        try:
            dsn = read_dsn(self.process.settings)
            assert dsn is not None
            session = Session(self, dsn)
            session.run(self._is_enough)
        except ENDS as ended:
            error = ended
            if isinstance(ended, WireError):
                self._is_superseded = ended.close_code == SUPERSEDED
            if not isinstance(ended, ConfigError):
                self._transport.failed(ended)
        finally:
            self.process.is_connected = False
        return self._after(session, error)

    def _after(self, session: Session | None, error: Ended | None) -> float:
        now = self._clock.monotonic()
        open_s = now - session.opened_at if session is not None and session.opened_at else 0.0
        self._backoff.opened(open_s)
        ending = Ending() if error is None else ending_of(error, open_s)
        if ending.code and not self.process.stopping.is_set():
            self.process.trouble = f"{ending.code} {ending.text}"
            loud = CAUSES.get(ending.cause, AWAY).loud
            held = kept(self.spool, self.process.settings.spool_max_bytes)
            self._complaints.tell(ending.code, ending.text, loud=loud, now=now, kept=held)
        return self._backoff.delay(ending.cause, now - self._started, self.retry_after_s)

    def _is_enough(self, sender: Sender) -> bool:
        """Whether the session may end: all is stored and the process stops, or time is up."""
        process = self.process
        if not process.stopping.is_set() and self._transport.is_websocket_open():
            return True
        if not (process.flushing.wanted or process.stopping.is_set()):
            return False
        process.replays.write_pending()
        is_drained = sender.is_drained
        if process.flushing.wanted and is_drained:
            process.flushing.answer()
        if not process.stopping.is_set():
            return False
        return is_drained or self._clock.monotonic() > process.stop_at

    def _rest(self, delay_s: float) -> None:
        until = self._clock.monotonic() + delay_s
        while not self.process.stopping.is_set():
            left = until - self._clock.monotonic()
            if left <= 0:
                return
            self.upkeep()
            self.process.stopping.wait(min(left, UPKEEP_S))

    def _answer(self, body: bytes) -> None:
        self.spool.writer.append_control(body)

    def _tell_shed(self) -> None:
        states = self.process.counters.take_shed()
        if states:
            now_us = self._clock.wall_us()
            self.spool.writer.append(
                pack(lost_item(_SHED_REASON, sum(states.values()), now_us, states))
            )

    def _tell_evicted(self) -> None:
        evicted = self.spool.usage().evicted
        if evicted > self._evicted:
            text = f"spool full, {evicted - self._evicted} of the oldest events dropped"
            self._evicted = evicted
            self._complaints.tell("Z4J-E121", text, loud=True, now=self._clock.monotonic())
            self._answer(pack(note_item(self._clock.wall_us(), "Z4J-E121", text)))

    def _tell_dropped(self) -> None:
        counters = self.spool.writer.counters
        dropped = counters.dropped
        if dropped > self._dropped:
            n, why = dropped - self._dropped, counters.why
            text = f"spool cannot be written, {n} new events dropped ({why}): {self.spool.note}"
            self._complaints.tell("Z4J-E122", text, loud=True, now=self._clock.monotonic())
        self._dropped = dropped

    def _take_over(self, stream: AdoptedStream) -> None:
        """Answer for commands a dead process began, and say that its workers died."""
        if stream.journal_path:
            self.commands.end_interrupted(read_journal(Path(stream.journal_path)))
        if stream.was_offline:
            return
        for engine, app, worker in read_workers(stream.path):
            item = worker_item(Source(engine, app), self._clock.wall_us(), worker, _DIED)
            self.spool.writer.append(pack(item))


def read_workers(path: str) -> list[tuple[str, str, str]]:
    """Workers a stream's owner said it had, as (engine, app, worker)."""
    try:
        rows = json.loads((Path(path) / "workers").read_text(encoding="utf-8"))
        return [(str(engine), str(app), str(worker)) for engine, app, worker in rows]
    except (OSError, ValueError, TypeError):
        return []
