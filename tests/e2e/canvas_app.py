"""A Celery app of workflows on Redis: parts that add up, and a task that sends a workflow."""

import os

from celery import Celery, chain, chord, group

URL = os.environ["CANVAS_REDIS"]
app = Celery("canvas", broker=URL, backend=URL)
app.conf.task_default_queue = os.environ["CANVAS_QUEUE"]
app.conf.worker_hijack_root_logger = False
app.conf.result_expires = 60


@app.task(name="canvas.part")
def part(number):
    return number


@app.task(name="canvas.total")
def total(numbers):
    return sum(numbers)


@app.task(name="canvas.add")
def add(one, other):
    return one + other


@app.task(name="canvas.order")
def order(count):
    """Send a chord from inside a task."""
    return chord(map(part.s, range(count)), total.s()).delay().id


WORKFLOWS = {
    "chain": lambda: chain(part.s(1), add.s(2), add.s(3)),
    "group": lambda: group(map(part.s, range(3))),
    "chord": lambda: chord(map(part.s, range(3)), total.s()),
    "order": lambda: order.s(3),
}
