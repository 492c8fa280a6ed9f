"""A project with an agent that offers everything, and tasks in chosen states."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, select
from z4j_brain.agents.model import agents
from z4j_brain.commands import service, store
from z4j_brain.commands.model import bulk_items, commands
from z4j_brain.commands.release import Release
from z4j_brain.db.rootkeys import RootKeys
from z4j_brain.tasks.model import ref_of, tasks

PROJECT = "a" * 32
NOW = 1_800_000_000_000_000
WHO = service.Who(id="u1", name="Ada", via="ui")
VERBS = {"retry": 1, "cancel": 3, "terminate": 2, "enqueue": 1, "purge": 1, "pause": 1}


class Shop:
    """What a bulk meets: a clock in µs that tests move, tasks, one agent, the release loop."""

    def __init__(self, db):
        self.db = db
        self.now = NOW
        self._ids = count(1)
        self.told = []
        self.demoted = set()
        roots = RootKeys(b"r" * 32)
        self.release = Release(
            db, roots, lambda: self.now, self.new_id, lambda *at: self.told.append(at),
            lambda _conn, bulk: bulk.by_id not in self.demoted,
        )  # fmt: skip

    def new_id(self):
        return f"{next(self._ids):032x}"

    def agent(self, policy="all", verbs=VERBS, **unavailable):
        app = {
            "engine": "celery", "app": "shop", "engine_version": "5.6", "adapter_version": "2",
            "verbs": verbs, "sources": [], "unavailable": unavailable,
        }  # fmt: skip
        row = {
            "project_id": PROJECT, "stream": self.new_id(), "session": "s", "cred_id": "c",
            "kid": 1, "epoch": 1, "host": "h", "role": "worker", "apps": [app],
            "policy": policy, "connected": True, "connected_at": NOW, "last_beat": NOW,
        }  # fmt: skip
        with self.db.writing() as conn:
            conn.execute(insert(agents).values(**row))

    def tasks(self, n, state, replayable=NOW + 10**12):
        rows = []
        for _ in range(n):
            task_id = self.new_id()
            rows.append({
                "ref": ref_of(PROJECT, "celery", "shop", task_id), "project_id": PROJECT,
                "engine": "celery", "app": "shop", "task_id": task_id, "name": "shop.charge",
                "state": int(state), "at": NOW, "replayable_until": replayable,
            })  # fmt: skip
        with self.db.writing() as conn:
            conn.execute(insert(tasks), rows)
        return [row["ref"] for row in rows]

    def preview(self, action, refs=None, **more):
        where = None if refs is None else tasks.c.ref.in_(refs)
        wish = service.Wish(action=action, project_id=PROJECT, where=where, **more)
        with self.db.writing() as conn:
            return service.preview(conn, wish, WHO, self.new_id(), self.now)

    def confirm(self, shown, who=WHO, **said):
        with self.db.writing() as conn:
            row = service.bulk_of(conn, PROJECT, shown.id)
            said = service.Confirmation(**said)
            return service.confirm(conn, row, said, who, self.new_id(), self.now)

    def bulk(self, bulk_id):
        with self.db.reading() as conn:
            return service.bulk_of(conn, PROJECT, bulk_id)

    def sent(self):
        with self.db.reading() as conn:
            return [
                SimpleNamespace(**row)
                for row in conn.execute(select(commands).order_by(commands.c.cmd_id)).mappings()
            ]

    def items(self, bulk_id):
        with self.db.reading() as conn:
            return store.items(conn, bulk_id, -1, 10_000)

    def set_state(self, refs, state):
        with self.db.writing() as conn:
            conn.execute(tasks.update().where(tasks.c.ref.in_(refs)).values(state=int(state)))

    def answer_all(self):
        with self.db.writing() as conn:
            conn.execute(commands.update().values(state="done"))
            conn.execute(
                bulk_items.update().where(bulk_items.c.state == "sealed").values(state="done")
            )


@pytest.fixture
def shop(db):
    return Shop(db)
