"""An instance of Huey, its engine and what it told."""

import contextlib
import time
from datetime import timedelta

import huey_shop
from huey import MemoryHuey, PriorityRedisHuey
from huey.registry import Message
from huey_inside import instance
from z4j_core import (
    EventKind,
)
from z4j_huey.places import adapt
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

E, S, X = EventKind.ENQUEUED, EventKind.STARTED, EventKind.SUCCEEDED


class Bench:
    """An instance, its engine and what it told; `work` is a worker of it."""

    def __init__(self, huey):
        self.huey, self.emit, self.engine = huey, Recorder(), adapt(huey)
        self.engine.attach(self.emit)
        self.tasks = huey_shop.made(huey)

    def task(self, function, **options):
        return self.huey.task(**options)(function)

    def work(self):
        with contextlib.suppress(KeyboardInterrupt):
            while (task := self.huey.dequeue()) is not None:
                self.huey.execute(task)

    def due(self):
        """What the scheduler does, an hour from now."""
        later = self.huey._get_timestamp() + timedelta(hours=1)
        for task in self.huey.read_schedule(later):
            task.eta = None
            self.huey.enqueue(task)

    def run(self, task):
        """Send a task and let a worker run whatever is there; the kinds of its facts."""
        self.huey.enqueue(task)
        self.work()
        return self.emit.kinds(task.id)

    def end(self, task):
        return self.emit.end(task.id)


def storage(kind, tmp_path, **more):
    name = f"quirks{time.time_ns()}"
    if kind == "memory":
        return MemoryHuey(name, **more)
    if kind == "priority":
        return PriorityRedisHuey(name, url=redis_url(9), blocking=False, **more)
    where = redis_url(9) if kind == "redis" else tmp_path
    return instance(kind, name, where, **({"blocking": False} if kind == "redis" else {}), **more)


def isolates():
    """Whether this is Huey 3: receivers do not hide each other, and chords are there."""
    return "chord_config" in Message._fields
