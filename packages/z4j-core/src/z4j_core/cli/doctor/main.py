"""The checks of doctor in their order. The rule: what needs a failed check is skipped by name."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial

from ...clock import Clock, SystemClock
from ...config import Dsn, Loaded, label, load
from . import app as apps
from . import local, schedules
from .network import reach
from .report import Failure, Report
from .talk import Talk

FAILED = 2
_TALKS = ("handshake", "clock", "event", "command")


def main(argv: Sequence[str], clock: Clock | None = None) -> int:
    """Print one line per check; 0 when nothing failed, else 2."""
    options = argparse.ArgumentParser(
        prog="z4j doctor",
        description="What stands between this machine and its brain; exit 0 or 2.",
    )
    options.add_argument("--json", action="store_true", help="one object per line")
    options.add_argument(
        "--app", metavar="MODULE[:OBJECT]", help="also ask this app for its tasks and queues"
    )
    given = options.parse_args(argv)
    report = Report(sys.stdout.write, as_json=given.json)
    Doctor(load(), clock or SystemClock(), report).run(given.app)
    return FAILED if report.has_failed else 0


class Doctor:
    """Checks in the order in which they depend on each other."""

    def __init__(self, loaded: Loaded, clock: Clock, report: Report) -> None:
        self._settings = loaded.settings
        self._faults = loaded.faults
        self._clock = clock
        self._report = report

    def run(self, app: str | None = None) -> None:
        """All checks; with `app` also what that app has."""
        report, settings = self._report, self._settings
        for code, text in self._faults:
            report.line("FAIL", "settings", text, code)
        if not settings.enabled:
            report.line("warn", "settings", "Z4J_ENABLED is off: nothing is recorded")
        dsn = settings.dsn
        if dsn is not None:
            report.line("ok", "dsn", f"{label(dsn)}, from {settings.dsn_from}")
            self._brain(dsn)
            report.check("spool", lambda: local.spool(dsn, settings, self._clock))
        elif not any(code.startswith("Z4J-E1") or code == "Z4J-E011" for code, _ in self._faults):
            text = "no DSN: set Z4J_DSN, or start `z4j dev` in this directory or above"
            report.line("FAIL", "dsn", text)
        report.check("policy", lambda: local.policy(settings))
        self._engines()
        if app is not None:
            self._app(app)

    def _brain(self, dsn: Dsn) -> None:
        report = self._report
        if not report.check("network", lambda: reach(dsn, self._settings, self._clock)):
            report.line("skip", ", ".join(_TALKS), "need the network")
            return
        talk = Talk(dsn, self._settings, self._clock, os.urandom)
        try:
            if not report.check("handshake", talk.handshake):
                report.line("skip", ", ".join(_TALKS[1:]), "need the handshake")
                return
            report.check("clock", talk.clock)
            if report.check("event", talk.event):
                report.check("command", talk.command)
            else:
                report.line("skip", "command", "needs the event")
        finally:
            talk.close()

    def _engines(self) -> None:
        try:
            found = local.adapters(self._settings)
        except Failure as failure:
            self._report.line("FAIL", "engines", failure.text, failure.code)
            return
        for name, point in found.items():
            self._report.check(name, partial(local.adapter, name, point))

    def _app(self, where: str) -> None:
        try:
            found = apps.find(where, self._settings)
        except Failure as failure:
            self._report.line("FAIL", "app", failure.text, failure.code)
            return
        for one in found:
            self._report.check("app", partial(apps.tell, one))
            look = partial(schedules.tell, one.engine, self._settings, self._clock)
            self._report.check("schedules", look)
