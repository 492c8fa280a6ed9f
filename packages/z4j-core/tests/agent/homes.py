"""A group of a process, without the process. The rule: engine, shelf and store are real."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace
from uuid import UUID

from toy import ToyEngine
from z4j_core.agent.boundary import Emitter
from z4j_core.agent.firing import Registered
from z4j_core.agent.hosting.home import Home
from z4j_core.agent.policy import parse_policy
from z4j_core.agent.shelf import Shelf
from z4j_core.clock import SystemClock
from z4j_core.config import load
from z4j_core.errors import StoreUnavailable
from z4j_core.scheduler.document import Replica, read_definition
from z4j_core.scheduler.snapshot import Snapshot, sealed_for
from z4j_core.wire.dsn import Dsn
from z4j_core.wire.keys import Credential, Secret

KEY = Credential(bytes(16), 1, Secret(bytes(32)))
DSN = Dsn("http", "127.0.0.1", 7700, "", "demo", KEY).reveal()
ID = "018f0000-0000-7000-8000-{:012d}"


def schedule(number=1, *, name="", created_ms=0, **fields):
    """An encoded replica, by its id."""
    fields.setdefault("task", "shop.charge")
    fields.setdefault("specs", [{"kind": "interval", "every": "PT1S", "anchor": "epoch"}])
    definition = read_definition({"name": name or f"s{number}", **fields})
    made = Replica(ID.format(number), 1, 1, created_ms, created_ms, definition)
    return {made.id: made.encoded()}


def sealed(revision, schedules, *, era=1, keys=(KEY,), engine="toy", app="toyapp", **more):
    """A snapshot as the brain sealed it."""

    rows = {UUID(name).bytes: data for name, data in schedules.items()}
    found = Snapshot(era, revision, "demo", engine, app, rows, more.pop("last_slots", {}), **more)
    return sealed_for(found, keys)


class House:
    """One group of one process: `home`, and what it told and wrote."""

    def __init__(self, tmp_path, *, allow="run", app="toyapp", **settings):
        self.engine = ToyEngine(app)
        given = {"dsn": DSN, "spool_dir": str(tmp_path), **settings}
        self.settings = load(given, environ={}, cwd=tmp_path).settings
        self.notes, self.written = [], []
        clock = SystemClock()
        self.emitter = Emitter(self.engine, _process(self.settings, clock))
        self.engine.attach(self.emitter)
        self.emitter.rediscover()
        path = tmp_path / "sched" / "group.bin"
        self.shelf = Shelf(self.emitter.source, self.settings, path, self.note)
        self.home = Home(
            emitter=self.emitter, shelf=self.shelf, policy=parse_policy(allow),
            settings=self.settings, clock=clock, entropy=os.urandom,
            directory=str(tmp_path), ask=_away, note=self.note, write=self.written.append,
            registered=Registered(), brain_ms=lambda: None, refresh=lambda: None,
        )  # fmt: skip

    def note(self, code, text, *, is_over=False):
        self.notes.append((code, text))


def _away(_op, _args):
    raise StoreUnavailable("the brain is away")


def _process(settings, clock):

    from z4j_core.agent.counters import Counters
    from z4j_core.agent.process import Nowhere

    writer = Nowhere()
    return SimpleNamespace(
        settings=settings, clock=clock, counters=Counters(), writer=writer,
        changed=threading.Event(), is_sending=False, hand=None, begin=lambda: writer,
        entropy=os.urandom, running_here=lambda: None, keep=lambda *a: None,
    )  # fmt: skip
