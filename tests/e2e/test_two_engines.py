"""Two engines side by side in one process: both are seen, and what one sends for the other."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from redis import Redis
from z4j_core import EventKind
from z4j_testing.brain import FakeBrain
from z4j_testing.demo.processes import Family
from z4j_testing.services import redis_url
from z4j_testing.signals import eventually

pytestmark = pytest.mark.live
HERE = Path(__file__).parent
PYTHON = [sys.executable, "-m"]


@pytest.fixture(params=["prefork", "threads", "solo"])
def pair(request, tmp_path):
    """A Celery worker of each pool and an RQ worker; (brain, environment)."""
    queue = f"pair-{os.urandom(4).hex()}"
    family = Family(tmp_path)
    with FakeBrain() as brain:
        env = {
            "Z4J_DSN": brain.dsn, "Z4J_SPOOL_DIR": str(tmp_path / "spool"), "Z4J_ALLOW": "all",
            "PAIR_REDIS": redis_url(6), "PAIR_QUEUE": queue, "PYTHONPATH": str(HERE),
            "C_FORCE_ROOT": "1",
        }  # fmt: skip
        celery = [*PYTHON, "celery", "-A", "two_engines_app", "worker", "-P", request.param]
        quiet = ["--without-mingle", "--without-gossip", "-c", "2"]
        family.start("celery", [*celery, *quiet], env, signal.SIGQUIT)
        rq = [*PYTHON, "z4j", "run", "--", *PYTHON, "rq.cli", "worker", f"{queue}-jobs"]
        family.start("rq", [*rq, "--url", redis_url(6)], env)
        yield brain, env, family
        family.end()
    with Redis.from_url(redis_url(6)) as redis:
        redis.delete(queue, f"_kombu.binding.{queue}", f"rq:queue:{queue}-jobs")


def test_what_a_task_sends_on_another_engine_is_its_child(pair):
    brain, env, family = pair
    code = "import two_engines_app as pair; pair.order.apply_async((7,), task_id='order-7')"
    family.start("sender", [sys.executable, "-c", code], env)

    def told(parent):
        return [
            task for task in brain.store.tasks
            if task.kind == EventKind.ENQUEUED and task.parent == parent
        ]  # fmt: skip

    (job,) = eventually(lambda: told("order-7"), "the job of the order", 40)
    (mail,) = eventually(lambda: told(job.task_id), "the mail of the job", 20)

    assert job.name == "two_engines_app.invoice"
    assert mail.name == "pair.mail"
    known = {app.engine for each in brain.store.registers for app in each.apps}
    assert known == {"celery", "rq"}
