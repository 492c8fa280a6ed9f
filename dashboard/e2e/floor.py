"""A floor of its own for the acts of schedules: a brain, a Redis, a worker of RQ under z4j.

The rule: every fire of these tests is placed by that worker's agent, and run by RQ.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext
from z4j_testing.demo.processes import Family, free_port, is_listening, wait_until
from z4j_testing.demo.stack import redis_server, start_brain

START_S = 60.0
QUEUE = "floor"
TASKS = '''"""What the floor does."""

import os

from redis import Redis
from rq import Queue
from rq.decorators import job

queue = Queue("floor", connection=Redis.from_url(os.environ["FLOOR_REDIS"]))


@job(queue, connection=queue.connection)
def report(day="today", deep=0):
    """Write the report of a day."""
    return f"{day} {deep}"


@job(queue, connection=queue.connection)
def locked(day="today"):
    """What the app lets nobody fire."""
'''


class Floor(NamedTuple):
    """Where the brain is, its directory, the schedules' engine and app, and a browser let in."""

    url: str
    home: Path
    app: str
    context: BrowserContext


def start(family: Family, home: Path, browser: Browser) -> Floor:
    """Start all of it; returns when the agent is connected."""
    port = free_port()
    command = [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    family.start("redis", [*command, "--dir", str(home)], {})
    wait_until("redis listens", lambda: is_listening(port), START_S, family)
    brain = start_brain(family, home, free_port())
    (home / "floor_tasks.py").write_text(TASKS)
    url = f"redis://127.0.0.1:{port}/0"
    env = {
        "PYTHONPATH": str(home), "FLOOR_REDIS": url, "Z4J_DSN": brain.dsn, "Z4J_ALLOW": "run,floor_tasks.locked=observe",
        "Z4J_RQ_TASKS": "floor_tasks", "Z4J_SPOOL_DIR": str(home / "spool"),
    }  # fmt: skip
    python = [sys.executable, "-m"]
    worker = [*python, "z4j", "run", "--", *python, "rq.cli", "worker", QUEUE, "--url", url]
    family.start("worker", worker, env)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    first = context.new_page()
    first.goto(brain.link)
    first.get_by_role("navigation", name="places").wait_for()
    found: list[str] = []

    def is_heard() -> bool:
        said = first.request.get(f"{brain.url}/api/v1/projects/demo/schedules/groups").json()
        found[:] = [each["app"] for each in said["items"] if each["candidates"]]
        return bool(found)

    wait_until("the agent may lead", is_heard, START_S, family)
    first.close()
    return Floor(brain.url, home, found[0], context)
