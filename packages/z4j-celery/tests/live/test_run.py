"""`z4j run -- celery …`: each fact once, though an entry point of Celery starts us as well."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import celery_shop
import pytest
from z4j_core import EventKind
from z4j_testing.brain import FakeBrain
from z4j_testing.demo.processes import bound
from z4j_testing.services import redis_url

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]
HERE = Path(__file__).parents[1]
RUN = "import sys; from z4j_core.cli.run import main; sys.exit(main(sys.argv[1:]))"


def test_a_worker_under_run_reports_each_fact_once_and_ends_as_it_would(tmp_path):
    queue = f"z4j-run-{uuid.uuid4().hex[:8]}"
    app = celery_shop.make_app(redis_url(3), redis_url(4), queue, tmp_path)
    worker = ["celery", "-A", "celery_shop_worker", "worker", "-c", "1", "-Q", queue]
    celery = str(Path(sys.executable).with_name(worker[0]))
    with FakeBrain() as brain, app:
        child = subprocess.Popen(
            bound([sys.executable, "-c", RUN, "--", celery, *worker[1:]], signal.SIGTERM),
            env={
                **os.environ, "PYTHONPATH": str(HERE), "C_FORCE_ROOT": "1",
                "RIG_BROKER": redis_url(3), "RIG_BACKEND": redis_url(4), "RIG_QUEUE": queue,
                "RIG_MARKS": str(tmp_path), "RIG_CONF": "{}", "Z4J_DSN": brain.dsn,
                "Z4J_SPOOL_DIR": str(tmp_path / "spool"),
            },
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            sent = app.send_task("shop.ok", [1]).id
            brain.wait_for(lambda: EventKind.SUCCEEDED in brain.store.kinds(sent), 30)
        finally:
            child.send_signal(signal.SIGTERM)
            code = child.wait(30)

    kinds = brain.store.kinds(sent)
    assert code == 0
    assert kinds.count(EventKind.STARTED) == kinds.count(EventKind.SUCCEEDED) == 1
    assert {each.pid for each in brain.store.registers} == {child.pid}
