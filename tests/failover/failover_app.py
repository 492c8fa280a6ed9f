"""The Celery app whose schedules fail over. The rule: a task first writes down that it runs.

A worker with `FAILOVER_WATCH` writes down when it stands by, begins to lead and ceases to: a line
is `what pid epoch wall_ms`, what is `stands`, `leads` or `ceases`.
"""

from __future__ import annotations

import os
import threading
import time

from celery import Celery
from celery.signals import worker_ready

app = Celery("failover", broker=os.environ["FAILOVER_BROKER"])
app.conf.update(
    task_default_queue=os.environ.get("FAILOVER_QUEUE", "failover"),
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=4,
    task_ignore_result=True,
)


def mark(path, line):
    """Append a line to a side book; one write, so nothing can be torn."""
    descriptor = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def now_ms():
    return time.time_ns() // 1_000_000


@app.task(name="failover.tick", bind=True)
def tick(self):
    mark(os.environ["FAILOVER_RAN"], f"{self.request.id} {now_ms()}")


def loop_here():
    """What leads from this process, or stands by to; None before it does."""
    from z4j_core.agent import current

    handle = current()
    process = handle.process if handle is not None else None
    standings = process.groups.standings if process is not None else []
    return next((s.host.loop for s in standings if s.host is not None), None)


def watch(path):
    never, before = threading.Event(), None
    while not never.wait(0.01):
        loop = loop_here()
        if loop is None and before is None:
            continue
        now = 0 if loop is None else loop.epoch
        if now != before:
            what = "leads" if now else ("stands" if before is None else "ceases")
            mark(path, f"{what} {os.getpid()} {now} {now_ms()}")
            before = now


@worker_ready.connect
def begin(**_):
    path = os.environ.get("FAILOVER_WATCH")
    if path:
        threading.Thread(target=watch, args=(path,), daemon=True).start()
