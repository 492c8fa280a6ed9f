"""The scheduling groups of this process. The rule: one group is one engine on one broker.

What is said here is cheap and always there: who may lead, which schedules are held, what is wanted
of the brain. What fires is in `hosting`, and loaded only for a group that has schedules.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from ..spool import hash8
from ..spool.tail import Tail
from ..wire.bodies import Group, Newest, Want
from ..wire.replication import Schedules
from .boundary import Emitter
from .hosting import choose_store
from .hosting.home import NONE, Home
from .policy import CLOSED, Policy
from .seat import Seat, objection
from .shelf import Shelf
from .standing import SCHEDULES, Open, Standing, Surroundings

LOOK_S = 1.0
_HEARD_S = 60.0
_ABROAD_S = 10.0
"""How long the brain may be away before a group without schedules is looked up elsewhere."""


class Groups:
    """All groups of one process; used by the agent's thread, and ended by whoever ends that."""

    def __init__(self, process: Surroundings) -> None:
        self._process = process
        self._policy: Policy = CLOSED
        self._open: Open | None = None
        self._standings: dict[int, Standing] = {}
        self._began()

    def _began(self) -> None:
        self._started = self._process.clock.monotonic()
        self._look_at = self._away_since = self._heard_at = 0.0
        self._tail: Tail | None = None
        self._is_stopped = False
        self._turn = threading.Lock()
        self.objection = ""
        """Why no group is led from here; empty when one may be."""

    def arm(self, policy: Policy, open_host: Open) -> None:
        """Hear what the brain may do here, and what fires."""
        self._policy, self._open = policy, open_host

    @property
    def standings(self) -> list[Standing]:
        """How this process stands to each group."""
        return list(self._standings.values())

    def told(self) -> tuple[Group, ...]:
        """The groups of this process, for REGISTER and UPDATE."""
        self.look()
        return tuple(
            Group(*standing.source, standing.is_candidate, *standing.shelf.stand)
            for standing in self._standings.values()
        )

    def watch(self) -> None:
        """Read along what was written, where runs matter to a schedule.

        Called before the sender hears that anything was stored: then nothing is unlinked unread.
        """
        served = [s for s in self._standings.values() if s.host is not None]
        if served:
            served[0].emitter.quietly(partial(self._read_along, served))

    def _read_along(self, served: list[Standing]) -> None:
        if not any(standing.has_runs_to_tell() for standing in served):
            self._tail = None
            return
        path = self._process.path
        if self._tail is None or self._tail.path != path:
            self._tail = Tail(path)
        for body in self._tail.read():
            for standing in served:
                if standing.host is not None:
                    standing.host.note(body)

    def upkeep(self) -> None:
        """Take or leave seats, start and stop what fires; cheap when nothing has changed."""
        now = self._process.clock.monotonic()
        if self._process.is_connected and now >= self._heard_at:
            self._heard_at = now + _HEARD_S
            for standing in self._standings.values():
                standing.shelf.heard()
        if now >= self._look_at and not self._process.stopping.is_set():
            self._look_at = now + LOOK_S
            self.look()

    def look(self) -> None:
        """See who may lead by now."""
        if self._is_stopped or self._process.is_child or self._open is None:
            return
        age_s = self._process.clock.monotonic() - self._started
        settings, role = self._process.settings, self._process.role
        self.objection = objection(settings, self._policy, role, age_s)
        for emitter in list(self._process.emitters):
            standing = self._standings.get(id(emitter)) or emitter.quietly(
                partial(self._met, emitter)
            )
            if standing is not None:
                emitter.quietly(partial(self._follow, standing))

    def welcomed(self, newest: Iterable[Newest]) -> list[Want]:
        """Hear what the brain has; what is wanted of it."""
        for group in newest:
            standing = self._named(group.engine, group.app)
            if standing is not None:
                standing.newest = (group.era, group.revision)
        return self.wants()

    def wants(self) -> list[Want]:
        """What is wanted of the brain by now, each once in a while."""
        now = self._process.clock.monotonic()
        found: list[Want] = []
        for standing in self._standings.values():
            if now >= standing.asked_at and (wants := standing.wants()):
                standing.asked_at = now + _ABROAD_S
                found += wants
        return found

    def received(self, page: Schedules) -> list[Want]:
        """Take a page of SCHEDULES; what is wanted because of it."""
        standing = self._named(page.engine, page.app)
        if standing is None:
            return []
        standing.newest = max(standing.newest, (page.era, page.to))
        verdict = standing.shelf.take(page)
        if verdict.is_new:
            standing.emitter.quietly(partial(self._follow, standing))
            self._process.changed.set()
        return [Want(SCHEDULES, *standing.source, 0)] if verdict.wants_all else []

    def stop(self, timeout_s: float) -> None:
        """Hand over all that is led from here; waits at most `timeout_s` seconds."""
        with self._turn:
            self._is_stopped = True
        for standing in list(self._standings.values()):
            self._close(standing, timeout_s)
            standing.seat.leave()

    def resume(self) -> None:
        """Lead again, where it was stopped: this process has work after all."""
        self._is_stopped = False

    def forked(self) -> None:
        """In the child: what was led is led by the parent, whose locks are not ours."""
        standings, self._standings = self._standings, {}
        for standing in standings.values():
            standing.seat.leave()
        self._began()

    def _met(self, emitter: Emitter) -> Standing | None:
        if self._named(*emitter.source) is not None:
            return None  # two objects of one engine on one broker are one group
        spool = self._process.spool
        place = (
            Path(spool.home) / "sched" / hash8(*emitter.source) if spool and spool.home else None
        )
        shelf = Shelf(
            emitter.source,
            self._process.settings,
            place and place.with_suffix(".bin"),
            self._process.note,
        )
        seat = Seat(place and place.with_suffix(".lock"))
        standing = Standing(emitter, shelf, seat)
        self._standings[id(emitter)] = standing
        return standing

    def _follow(self, standing: Standing) -> None:
        """Serve a group as far as that may be from here, and no further."""
        with self._turn:
            if not self._is_stopped:
                self._served(standing)

    def _served(self, standing: Standing) -> None:
        was = standing.is_candidate
        standing.is_candidate = not self.objection and standing.seat.take()
        if not (standing.is_candidate and was):
            standing.shelf.refresh()
        if standing.is_candidate != was:
            self._process.changed.set()
        leads = standing.is_candidate and self._is_needed(standing) and not self._is_stale(standing)
        is_wanted = leads or standing.has_runs_to_tell()
        is_elsewhere = standing.host_pinned != standing.pinned
        host = standing.host
        if host is not None and (not is_wanted or host.leads != leads or is_elsewhere):
            self._close(standing, 0.0)
        if is_wanted and standing.host is None and self._open is not None:
            standing.host_pinned = standing.pinned
            standing.host = self._open(self._home(standing), leads=leads)
        if not standing.is_candidate:
            standing.seat.leave()
        self._guard(standing)

    def _guard(self, standing: Standing) -> None:
        """Let starts of scheduled runs be guarded where there are schedules and a worker."""
        guard, home = standing.emitter.guard, self._home(standing)
        is_ours = standing.shelf.count and standing.pinned != NONE
        is_wanted = bool(is_ours and standing.emitter.workers)
        if is_wanted != guard.is_plugged:
            guard.plug((lambda: choose_store(home)) if is_wanted else None)

    def _home(self, standing: Standing) -> Home:
        process, source = self._process, standing.source
        return Home(
            emitter=standing.emitter,
            shelf=standing.shelf,
            policy=self._policy,
            settings=process.settings,
            clock=process.clock,
            entropy=process.entropy,
            directory=process.spool.home if process.spool is not None else "",
            ask=lambda op, args: process.errands.ask(*source, op, args),
            note=partial(process.note, source=standing.source),
            write=process.control,
            registered=process.registered,
            brain_ms=process.brain_time.now_ms,
            refresh=partial(self._refresh, standing),
        )

    def _refresh(self, standing: Standing) -> None:
        """Let the brain be asked for all it has of a group; called by threads of its leader."""
        standing.wants_anew, standing.asked_at = True, 0.0
        self._process.changed.set()

    def _is_needed(self, standing: Standing) -> bool:
        """Whether there is anything to fire, or nobody who could say so."""
        if standing.pinned == NONE:
            return False  # another fires it, or the brain moves it to another store
        if standing.shelf.count:
            return True
        if self._process.is_connected or standing.shelf.stand > (0, 0):
            self._away_since = 0.0
            return False
        now = self._process.clock.monotonic()
        self._away_since = self._away_since or now
        return now - self._away_since >= _ABROAD_S

    def _is_stale(self, standing: Standing) -> bool:
        """Whether the brain has been silent for longer than its schedules may be believed."""
        limit_s = self._process.settings.schedule_max_stale_s
        if not limit_s or self._process.is_connected:
            return False
        silent_s = standing.shelf.silent_s(self._process.clock.wall_us())
        if silent_s > limit_s and standing.host is not None and standing.host.leads:
            text = f"the brain has been silent for {silent_s:.0f} s: schedules wait for it"
            self._process.note("Z4J-E308", text)
        return silent_s > limit_s

    def _close(self, standing: Standing, timeout_s: float) -> None:
        host, standing.host = standing.host, None
        if host is not None:
            host.stop(timeout_s)

    def _named(self, engine: str, app: str) -> Standing | None:
        for standing in self._standings.values():
            if standing.source == (engine, app):
                return standing
        return None
