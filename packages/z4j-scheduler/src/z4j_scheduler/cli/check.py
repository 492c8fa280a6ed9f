"""`z4j-scheduler check`. The rule: nothing is led and nothing is written."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from z4j_core.agent.hosting.choice import Place, choose
from z4j_core.agent.meta import stream_meta
from z4j_core.agent.policy import CLOSED
from z4j_core.cli.doctor.network import reach
from z4j_core.cli.doctor.report import Failure, Report, Said
from z4j_core.cli.doctor.talk import Talk
from z4j_core.cli.remote import AWAY, USAGE
from z4j_core.clock import SystemClock
from z4j_core.config import Loaded, Settings, label
from z4j_core.errors import ConfigError, StoreError
from z4j_core.scheduler.leases.calls import Answer, Op, Status
from z4j_core.scheduler.tzdata import tzdata_version
from z4j_core.wire import PROBE, RecordType
from z4j_core.wire.bodies import Policy, Register
from z4j_core.wire.replication import Lease, Leased

from .options import settings_of

ROLE = "scheduler"


class Checks(Talk):
    """What needs a brain, on one session that is not listed."""

    def _register(self) -> Register:
        meta: dict[str, Any] = stream_meta(self._settings, ROLE, None)
        return Register(
            **meta, stream=self._stream, epoch=1, storage="memory", clock=self._clock.wall_us(),
            policy=Policy(CLOSED.text, CLOSED.digest), apps=(), features=(PROBE,),
        )  # fmt: skip

    def store(self) -> Said:
        """Ask the brain as a lease store; an agent's key may not, for it has no engine here."""
        groups = self._wire.welcome.groups if self._wire.welcome is not None else ()
        engine, app = (groups[0].engine, groups[0].app) if groups else ("z4j", "check")
        self._run(lambda: self._ask(engine, app))
        many = len(groups)
        text = f"the brain keeps leases; {many} group{'' if many == 1 else 's'} fired centrally"
        hint = "" if groups else ": z4j-scheduler move-group ENGINE/APP"
        return Said(text + hint)

    def _ask(self, engine: str, app: str) -> None:
        assert self._link is not None
        question = Lease(1, Op.CURSORS, engine, app, [None])
        self._link.send(self._wire.send(RecordType.LEASE, question))
        leased = self._until(Leased)
        if leased.status == Status.OK:
            return
        why = str(leased.values[0]) if leased.values else str(leased.status)
        if leased.status == Status.UNAVAILABLE and "engine" in why:
            text = "this is the key of an agent: z4j keys create --role scheduler"
            raise Failure("Z4J-E310", text)
        raise Failure("Z4J-E309", f"the brain cannot: {why}")


def _check(options: argparse.Namespace) -> int:
    report = Report(sys.stdout.write, as_json=options.json)
    loaded = settings_of(options)
    for code, text in loaded.faults:
        report.line("FAIL", "settings", text, code)
    is_away = _brain(loaded, report)
    report.check("zones", lambda: Said(f"IANA {tzdata_version()}"))
    if loaded.settings.lease_store:
        report.check("leases", lambda: _of_agents(loaded.settings))
    return (AWAY if is_away else USAGE) if report.has_failed else 0


def _brain(loaded: Loaded, report: Report) -> bool:
    """All that needs the brain; whether it cannot be reached."""
    settings, clock = loaded.settings, SystemClock()
    dsn = settings.dsn
    if dsn is None:
        report.line("FAIL", "dsn", "no DSN: set Z4J_DSN to one of a key of role scheduler")
        return False
    report.line("ok", "dsn", f"{label(dsn)}, from {settings.dsn_from}")
    if not report.check("network", lambda: reach(dsn, settings, clock)):
        report.line("skip", "handshake, clock, store", "need the network")
        return True
    talk = Checks(dsn, settings, clock, os.urandom)
    try:
        if not report.check("handshake", talk.handshake):
            report.line("skip", "clock, store", "need the handshake")
            return False
        report.check("clock", talk.clock)
        report.check("store", talk.store)
    finally:
        talk.close()
    return False


def _of_agents(settings: Settings) -> Said:
    """The store that Z4J_LEASE_STORE names, where agents that lead themselves keep theirs."""
    place = Place(settings, None, "z4j/check", "", _unasked, SystemClock().boottime)
    try:
        store = choose(place)
        store.cursors()
    except ConfigError as error:
        raise Failure(error.code, error.text) from error
    except StoreError as error:
        raise Failure("Z4J-E309", f"the lease store does not answer: {error}") from error
    find: Any = getattr(store, "eviction_risk", None)
    risk = find() if find is not None else None
    store.close()
    text = f"leases of agents in {store.kind}"
    return Said(f"{text}; {risk}", "Z4J-E302", is_warning=True) if risk else Said(text)


def _unasked(_op: int, _args: Any) -> Answer:
    return Answer(Status.UNAVAILABLE, ("a check does not ask",))


COMMANDS = {"check": _check}
