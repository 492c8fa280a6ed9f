"""How the shop's departments are started. The rule: as their own documentation says, under z4j.

Only the engine whose command line finds z4j by itself is started without `z4j run`.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .processes import Family, is_listening, wait_until

SHOP = "shop"
"""The shop is a package of its own: its code and its workers know nothing of the demo."""
START_S = 40.0
WORKER_SLOTS = 6
QUEUES = "orders,payments,mail,media,reports"
_PYTHON = (sys.executable, "-m")
_UNDER_Z4J = (*_PYTHON, "z4j", "run", "--", *_PYTHON)


class Department(NamedTuple):
    """A worker: its command, what it says once it is ready, what ends it."""

    command: Sequence[str]
    ready: str
    end_signal: signal.Signals = signal.SIGTERM


def departments(redis_url: str) -> Mapping[str, Department]:
    """One worker for each engine."""
    return {
        "celery": Department(
            (*_PYTHON, "celery", "-A", f"{SHOP}.app:app", "worker", "-n", "shop@%h",
             "-c", str(WORKER_SLOTS), "-Q", QUEUES, "-l", "INFO"),
            " ready.", signal.SIGQUIT,
        ),
        "rq": Department(
            (*_UNDER_Z4J, "rq.cli", "worker", "ledger", "invoices", "--url", redis_url,
             "--with-scheduler"),
            "Listening on",
        ),
        "dramatiq": Department(
            (*_UNDER_Z4J, "dramatiq", f"{SHOP}.warehouse", "-p", "1", "-t", "4"),
            "is ready for action",
        ),
        "huey": Department(
            (*_UNDER_Z4J, "huey.bin.huey_consumer", f"{SHOP}.catalogue.huey", "-w", "4"),
            "Huey consumer started",
        ),
        "arq": Department(
            (*_UNDER_Z4J, "arq", f"{SHOP}.carriers.WorkerSettings"), "Starting worker"
        ),
        "taskiq": Department(
            (*_UNDER_Z4J, "taskiq", "worker", f"{SHOP}.search:broker", "-w", "1"),
            "Listening started",
        ),
    }  # fmt: skip


def open_departments(
    family: Family, env: Mapping[str, str], redis_url: str, engines: Sequence[str]
) -> None:
    """Start the workers of these engines side by side; returns when all are ready.

    Raises:
        ChildDied: one ended by itself.
        TimeoutError: one was not ready in time.
    """
    known = departments(redis_url)
    started = {}
    for engine in engines:
        command, _, end_signal = known[engine]
        started[engine] = family.start(engine, command, env, end_signal)
    for engine, child in started.items():
        ready = known[engine].ready
        wait_until(f"{engine} is ready", lambda: ready in child.tail(400), START_S, family)  # noqa: B023


def open_front(family: Family, env: Mapping[str, str], port: int) -> str:
    """Start where customers order; its address."""
    app = (f"{SHOP}.front:app", "--port", str(port), "--log-level", "warning")
    return _served(family, "front", (*_PYTHON, "uvicorn", *app), env, port)


def open_office(family: Family, env: Mapping[str, str], port: int) -> str:
    """Start where staff works; its address."""
    app = (f"{SHOP}.office:application", "-b", f"127.0.0.1:{port}", "--log-level", "warning")
    return _served(family, "office", (*_PYTHON, "gunicorn", *app), env, port)


def _served(
    family: Family, name: str, command: Sequence[str], env: Mapping[str, str], port: int
) -> str:
    family.start(name, command, env)
    wait_until(f"the {name} is open", lambda: is_listening(port), START_S, family)
    return f"http://127.0.0.1:{port}"
