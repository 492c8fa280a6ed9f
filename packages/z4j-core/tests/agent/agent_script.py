"""A host process for tests: it starts an agent and does what the test says."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parent


def script(brain, tmp_path, body, before="", dsn=""):
    """A process that starts an agent and runs `body` with `engine`, `handle` and `emit`.

    `before` runs first of all; `dsn` is the brain's own unless it is reached another way.
    """
    code = f"""
{textwrap.dedent(before)}
import os, signal, sys, threading
sys.path.insert(0, {str(HERE)!r})
from toy import ToyEngine
from z4j_core import EventKind, TaskEvent, Worker
from z4j_core.agent import start
spool = {str(tmp_path / "spool")!r}
handle = start({{"dsn": {dsn or brain.dsn!r}, "spool_dir": spool, "engines": ["none"]}})
engine = ToyEngine()
handle.attach(engine)
def emit(kind, task_id):
    engine.emit(TaskEvent(EventKind[kind], task_id, 1, "shop.charge", "mail", "w1"))
{textwrap.dedent(body)}
"""
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
