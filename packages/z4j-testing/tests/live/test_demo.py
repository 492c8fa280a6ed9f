"""`z4j demo --check` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.live, pytest.mark.timeout(150)]
ENGINES = ("celery", "rq", "dramatiq", "huey", "arq", "taskiq")


def test_the_demo_proves_every_step_on_every_engine():
    z4j = Path(sys.executable).with_name("z4j")

    done = subprocess.run(
        [z4j, "demo", "--check", "--json"], capture_output=True, text=True, check=False, timeout=180
    )

    assert done.returncode == 0, done.stdout + done.stderr
    steps = ("success", "failure+traceback", "retry", "cancel", "stop", "scheduled fire")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told == [{"engine": engine, **dict.fromkeys(steps, "ok")} for engine in ENGINES]
