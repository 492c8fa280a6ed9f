"""The worker of this process. The rule: it is described from memory, as it is at that moment."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from platform import node
from typing import Any

from dramatiq.common import q_name
from z4j_core import ChildProcess, Worker

from .live import is_green

_IDS: dict[int, str] = {}


def worker_id() -> str:
    """Host, master process and this process; put together once in each process."""
    pid = os.getpid()
    return _IDS.get(pid) or _IDS.setdefault(pid, f"{node()}/{os.getppid()}/{pid}")


def described(worker: Any, running: Sequence[str]) -> Worker:
    """Describe a worker; the process that runs its tasks is its own."""
    return Worker(
        worker_id(),
        "gevent" if is_green() else "threads",
        slots=worker.worker_threads,
        busy=len(running),
        running=tuple(running),
        children=(ChildProcess(os.getpid(), task_id=next(iter(running), None)),),
        queues=tuple(sorted({q_name(name) for name in worker.consumers})),
        versions={"dramatiq": version("dramatiq")},
        config={"broker": type(worker.broker).__qualname__},
    )


def master() -> int | None:
    """Process of Dramatiq's command line that starts this one again; None when there is none."""
    parent = multiprocessing.parent_process()
    if parent is None or "dramatiq.cli" not in sys.modules or parent.pid != os.getppid():
        return None
    return parent.pid
