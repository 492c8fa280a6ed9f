"""A leader by itself, with a clock that tests move and a store in memory."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from z4j_core.invoke import Outcome
from z4j_core.scheduler.document import Replica, read_definition
from z4j_core.scheduler.leader import Found, Settings
from z4j_core.scheduler.leader.leader import Leader
from z4j_core.scheduler.snapshot import Snapshot
from z4j_testing.clock import FakeClock

sys.path.insert(0, str(Path(__file__).resolve().parents[5] / "tests/schedules_sim"))
from model_store import Books, ModelStore

TTL_MS = 15_000


class Site:
    """A leader, its host and its clock."""

    def __init__(self, *rows, **settings):
        self.clock = FakeClock()
        self.jobs, self.facts, self.notes, self.ends = [], [], [], []
        self.answers = []
        self.refreshed = 0
        self.found = Found.UNKNOWN
        self.on_place = lambda: None
        self.revision = 0
        self.rows = {}
        self.put(*rows)
        self.books = Books(self.now_ms)
        self.store = ModelStore(self.books, self.clock.boottime)
        self.settings = Settings("me", "fp", TTL_MS, **settings)
        self.brain_ms = lambda: None
        self.leader = self.another()

    def another(self, owner="me"):
        """A leader in a new process."""
        return Leader(
            self.store, self, self.clock, replace(self.settings, owner=owner), entropy=os.urandom
        )  # fmt: skip

    def now_ms(self):
        return self.clock.wall_us() // 1000

    def row(self, number=1, generation=1, every="PT10S", **values):
        """A schedule of this number, every ten seconds."""
        changed = {k: values.pop(k) for k in ("paused", "not_before_ms") if k in values}
        definition = read_definition({
            "name": f"n{number}", "task": "work", **values,
            "specs": values.get("specs", [{"kind": "interval", "every": every, "anchor": "epoch"}]),
        })  # fmt: skip
        now = self.now_ms()
        name = str(UUID(int=number))
        return Replica(name, generation, self.revision, now, now, definition, **changed)

    def put(self, *rows):
        """Replace what there is."""
        self.revision += 1
        made = [row(self) if callable(row) else row for row in rows]
        self.rows = {UUID(row.id).bytes: row.encoded() for row in made}
        self.held = Snapshot(1, self.revision, "p", "e", "a", self.rows, {})

    def go(self, seconds):
        """Let time pass, and the leader do what it does meanwhile."""
        until = self.clock.boottime() + seconds
        renewed = self.clock.boottime()
        while True:
            pause = self.leader.step()
            left = until - self.clock.boottime()
            if left <= 0 and pause.seconds != 0:
                return
            wait = left if pause.seconds is None else min(pause.seconds + 1e-3, left)
            self.clock.advance(max(0.0, min(wait, 5.0)) if pause.seconds != 0 else 0.0)
            if self.leader.is_leading and self.clock.boottime() - renewed >= 4:
                renewed = self.clock.boottime()
                self.leader.tenure.renew()

    def statuses(self, status):
        return [fact for fact in self.facts if fact.status is status]

    # ---- the host
    def snapshot(self):
        return self.held

    def place(self, job, enq, deadline_s):
        self.on_place()
        answer = self.answers.pop(0) if self.answers else Outcome(value=job.id)
        if answer.ok:
            self.jobs.append(job)
        return answer

    def end(self, fire_id, how):
        self.ends.append((fire_id, how))

    def fetch(self, fire_id):
        return self.found

    def refresh(self):
        self.refreshed += 1

    def tell(self, fact):
        self.facts.append(fact)

    def note(self, code, text, *, is_over=False):
        self.notes.append(f"{code} is over" if is_over else code)
