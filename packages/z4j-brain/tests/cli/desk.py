"""An agent in this process with an engine that only takes commands and tells what it is told."""

from __future__ import annotations

from z4j_core import Delivery, EventKind, Scope, Stop, TaskEvent, scoped
from z4j_core.agent.boot import Handle
from z4j_core.config import load


class Desk:
    """An engine that only takes retries and cancels."""

    name, delivery, unavailable = "desk", Delivery(), {}

    def __init__(self, app="app"):
        self.app = app
        self.cancelled = []

    def attach(self, emit):
        self.emit = emit

    def detach(self):
        pass

    def discover(self):
        return []

    def enqueue(self, job):
        return ""

    def retry(self, native, *, task_id=None, queue=None, eta=None):
        self.emit(TaskEvent(EventKind.ENQUEUED, f"again-{task_id}", 0, native.task, "pay"))
        return f"again-{task_id}"

    @scoped(Scope.BROKER)
    def cancel(self, task_id, *, scope):
        self.cancelled.append(task_id)
        return Stop.DONE


def agent(home, dsn, name="spool"):
    """A started agent with a spool of its own; it attaches no engine by itself."""
    options = {"dsn": dsn, "spool_dir": str(home / name), "engines": ["none"], "allow": "all"}
    handle = Handle(load(options, environ={}, cwd=home))
    handle.start()
    return handle
