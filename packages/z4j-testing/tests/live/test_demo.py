"""`z4j demo --check` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.live, pytest.mark.timeout(90)]


def test_the_demo_proves_every_step_within_a_minute():
    z4j = Path(sys.executable).with_name("z4j")

    done = subprocess.run(
        [z4j, "demo", "--check", "--json"], capture_output=True, text=True, check=False, timeout=75
    )

    assert done.returncode == 0, done.stdout + done.stderr
    steps = ("success", "failure+traceback", "retry", "cancel", "terminate")
    assert json.loads(done.stdout) == {"engine": "celery", **dict.fromkeys(steps, "ok")}
