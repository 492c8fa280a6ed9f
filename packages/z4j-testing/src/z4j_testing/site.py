"""A web application with a brain, a broker and the processes that serve it: rig of a framework.

The shop behind it reads `SHOP_Z4J_KEY` (its setting `Z4J`, as JSON), `SHOP_BROKER` and
`SHOP_QUEUE`; it answers `/order` with the id of a task it sent and its pid, `/look` with its pid.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from redis import Redis
from z4j_core import EventKind

from .brain import FakeBrain
from .demo.processes import Child, Family, bound
from .services import free_port, redis_url
from .signals import eventually

START_S = 30.0
ENQUEUED = [int(EventKind.ENQUEUED)]


@contextlib.contextmanager
def opened(home: Path, code: Path, environment: Mapping[str, str]) -> Iterator[Site]:
    """A site with a brain of its own; on leaving, nothing of it is left."""
    with FakeBrain() as brain:
        brain.knobs.backoff_cap_ms = 200
        site = Site(home, brain, code, environment)
        try:
            yield site
        finally:
            site.end()
            with Redis.from_url(site.url) as redis:
                redis.delete(site.queue, f"_kombu.binding.{site.queue}")


class Site:
    """One application; `environment` tells its processes which it is."""

    def __init__(
        self, home: Path, brain: FakeBrain, code: Path, environment: Mapping[str, str]
    ) -> None:
        self.home, self.brain, self.code = home, brain, code
        self.environment = environment
        self.queue = f"site-{os.urandom(4).hex()}"
        self.url = redis_url(9)
        self.family = Family(home)
        self.port = free_port()
        self.declared: Any = {
            "DSN": brain.dsn, "RELEASE": "1.4", "SPOOL_DIR": str(home / "spool"),
            "ENGINES": ["celery"],
        }  # fmt: skip

    def env(self, **more: str) -> dict[str, str]:
        """The environment of its processes."""
        return {
            **self.environment, "PYTHONPATH": str(self.code),
            "SHOP_Z4J_KEY": json.dumps(self.declared), "SHOP_BROKER": self.url,
            "SHOP_QUEUE": self.queue, "HOME": str(self.home), "C_FORCE_ROOT": "1", **more,
        }  # fmt: skip

    def serve(self, *command: str, **env: str) -> Child:
        """Start a server and wait until it answers."""
        child = self.family.start("site", [sys.executable, *command], self.env(**env))

        def answers() -> bool:
            assert child.process.poll() is None, child.tail(40)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/nothing", timeout=5):
                    return True
            except urllib.error.HTTPError:
                return True
            except OSError:
                return False

        eventually(answers, "the site to answer", START_S)
        return child

    def get(self, path: str) -> Any:
        """What a page says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=10) as answer:
            return json.load(answer)

    def orders(self, processes: int) -> list[Any]:
        """Order until so many processes of the site have answered; every answer."""
        answers: list[Any] = []

        def all_have_answered() -> bool:
            answers.append(self.get("order"))
            return len({order["pid"] for order in answers}) == processes

        eventually(all_have_answered, f"{processes} processes to answer", START_S)
        return answers

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the application to its end."""
        return subprocess.run(  # noqa: S603  (a command of ours)
            bound([sys.executable, *words]),
            env={**os.environ, **self.env(**env)}, cwd=self.home, capture_output=True, text=True,
            timeout=40, check=False,
        )  # fmt: skip

    def stop(self, child: Child, number: signal.Signals = signal.SIGTERM) -> None:
        """End a server and wait for it."""
        child.process.send_signal(number)
        child.process.wait(20)

    def registers(self) -> list[Any]:
        """What agents said of themselves when they came."""
        return list(self.brain.store.registers)

    def pids(self) -> set[int]:
        """Processes that have come."""
        return {register.pid for register in self.registers()}

    def kinds(self, task_id: str) -> list[int]:
        """Facts of a task so far."""
        return self.brain.store.kinds(task_id)

    def told_once(self, task_id: str) -> bool:
        """Whether the brain knows a task as sent, and by one fact alone."""
        self.brain.wait_for(lambda: self.kinds(task_id), 10)
        return self.kinds(task_id) == ENQUEUED

    def end(self) -> None:
        """End every process of it."""
        self.family.end()
