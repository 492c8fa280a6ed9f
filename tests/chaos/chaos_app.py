"""The Celery app that is tormented. The rule: a task writes its id to a side file before all else.

It names z4j only where it hands out the agent's own counters; the agent attaches by `Z4J_DSN`.
"""

from __future__ import annotations

import json
import os

from celery import Celery
from celery.worker import state as worker_state
from celery.worker.control import inspect_command

QUEUE = os.environ["CHAOS_QUEUE"]
HOSTILE_NAME = "chaos.<img src=x onerror=alert(1)>\u202ekcatta\x1b[31m"

app = Celery("chaos", broker=os.environ["CHAOS_BROKER"])
app.conf.update(
    task_default_queue=QUEUE,
    accept_content=["json", "pickle"],
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=True,
    worker_prefetch_multiplier=4,
)


class Unprintable:
    """What nobody can show and nobody should try to."""

    def __repr__(self):
        raise RuntimeError("repr was called")

    __str__ = __format__ = __repr__

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(f"{name} was asked for")


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("str of an exception was called")


def mark(value, name="ran"):
    """Append one line to a file of the side book; one write, so nothing can be torn."""
    path = os.path.join(os.environ["CHAOS_BOOK"], name)  # noqa: PTH118
    descriptor = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, f"{value}\n".encode())
    os.close(descriptor)


@app.task(name="chaos.run", bind=True)
def run(self):
    mark(self.request.id)


@app.task(name="chaos.echo", bind=True)
def echo(self, *args, **kwargs):
    mark(self.request.id)
    size = sum(len(arg) for arg in args if isinstance(arg, str | bytes))
    mark(json.dumps([self.request.id, size]), "sizes")


@app.task(name="chaos.fail", bind=True)
def fail(self, text):
    mark(self.request.id)
    raise ValueError(text)


@app.task(name=HOSTILE_NAME, bind=True)
def hostile(self):
    mark(self.request.id)


@app.task(name="chaos.unprintable", bind=True)
def unprintable(self, thing, **kwargs):
    mark(self.request.id)


@app.task(name="chaos.send_unprintable", bind=True)
def send_unprintable(self):
    """Publish an object whose `repr` raises; Celery itself is given texts to show instead."""
    unprintable.apply_async(
        (Unprintable(),), {"also": [Unprintable()]}, serializer="pickle", queue=self.request.
        delivery_info["routing_key"], task_id=f"{self.request.id}-sent", argsrepr="?",
        kwargsrepr="?",
    )  # fmt: skip
    mark(self.request.id)


@app.task(name="chaos.fail_unprintable", bind=True)
def fail_unprintable(self):
    mark(self.request.id)
    raise UnprintableError


@app.task(name="chaos.forks", bind=True)
def forks(self, children, queue):
    """Fork while facts are written; each child sends a task and goes without a goodbye."""
    for _ in range(children):
        pid = os.fork()
        if pid == 0:
            run.apply_async(queue=queue)
            os._exit(0)
        os.waitpid(pid, 0)
    mark(self.request.id)


def books():
    """What the agent of this process says it wrote."""
    from z4j_core.agent import current

    handle = current()
    process = handle.process if handle is not None else None
    if process is None or process.spool is None:
        return {"stream": None}
    process.settle()  # what is in hand is counted as written once it is in a segment
    counters = process.spool.writer.counters
    return {
        "stream": process.spool.stream.hex(),
        "written": counters.written,
        "dropped": counters.dropped,
        "shed": sum(process.counters.shed_by_state.values()),
        "hook_errors": process.counters.hook_errors,
        "connected": process.is_connected,
        "storage": process.spool.storage,
    }


@inspect_command(name="books")
def told_books(_state):
    return {
        **books(),
        "reserved": len(worker_state.reserved_requests) + len(worker_state.active_requests),
    }
