"""A shop with schedules, reached over HTTP."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import insert, select
from z4j_brain.agents.model import agents
from z4j_brain.audit.model import audit_event
from z4j_brain.tasks.model import task_defs

PLACE = {"engine": "celery", "app": "redis/0"}
NIGHTLY = PLACE | {
    "name": "nightly",
    "task": "shop.bill",
    "kwargs": {"dry": False},
    "specs": [{"kind": "cron", "expr": "0 2 * * *", "tz": "Europe/Paris"}],
}
POLL = PLACE | {"name": "poll", "task": "shop.poll", "specs": [{"kind": "interval", "every": 60}]}


class Desk:
    """What an operator does to schedules."""

    def __init__(self, world):
        self.world = world
        self.clients = {}

    def as_(self, role):
        if role not in self.clients:
            self.clients[role] = self.world.client(role)
        return self.clients[role]

    def ask(self, method, path, role="operator", revision=None, **options):
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        url = f"/api/v1/projects/shop/{path}"
        return self.as_(role).request(method, url, headers=headers, **options)

    def get(self, path, role="operator", **params):
        answer = self.ask("GET", path, role, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, body=None, role="operator", **options):
        return self.ask("POST", path, role, json={} if body is None else body, **options)

    def add(self, **fields):
        answer = self.post("schedules", NIGHTLY | fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def edit(self, schedule, role="operator", revision=None, **fields):
        at = schedule["revision"] if revision is None else revision
        return self.ask("PATCH", f"schedules/{schedule['id']}", role, at, json=fields)

    def again(self, schedule):
        return self.get(f"schedules/{schedule['id']}")

    def audited(self):
        with self.world.brain.db.reading() as conn:
            query = select(audit_event).order_by(audit_event.c.pos)
            return [row for row in conn.execute(query) if row.action.startswith(("sched", "calen"))]

    def register(self, *tasks, params=()):
        rows = [
            {"project_id": self.world.shop, **PLACE, "name": name, "first_seen": 1, "seen": 1,
             "params": [list(each) for each in params]}
            for name in tasks
        ]  # fmt: skip
        with self.world.brain.db.writing() as conn:
            conn.execute(insert(task_defs), rows)

    def connect(self, policy="run", verbs=("fire", "cancel"), **fields):
        """Let it look as if an agent were connected."""
        us = self.world.clock.us
        app = {"engine": "celery", "app": "redis/0", "verbs": dict.fromkeys(verbs, 1)}
        row = {
            "project_id": self.world.shop, "stream": os.urandom(16).hex(), "kid": 1, "epoch": 1,
            "session": os.urandom(16).hex(), "cred_id": "c", "host": "h", "pid": 1,
            "role": "worker", "connected": True, "connected_at": us, "last_beat": us,
            "policy": policy, "apps": [app], "groups": [],
        }  # fmt: skip
        with self.world.brain.db.writing() as conn:
            conn.execute(insert(agents).values(**(row | fields)))


@pytest.fixture
def desk(world):
    return Desk(world)
