"""The worker of this process. The rule: one process is one worker, whatever it reads."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from multiprocessing import current_process
from typing import Protocol

from z4j_core import ChildProcess, Emit, Worker

from .runs import Here
from .stores import Store


class Consuming(Protocol):
    """A broker that consumes."""

    store: Store

    @property
    def is_paused(self) -> bool:
        """Whether messages are left where they are."""
        ...

    async def silence(self, timeout_s: float) -> None:
        """Wait until nothing is read any more."""
        ...


class Consumers:
    """Brokers of one place that consume in this process."""

    def __init__(self, emit: Emit, here: Here) -> None:
        self.hooks: list[Consuming] = []
        self._emit = emit
        self._here = here
        self._known = (0, "")

    @property
    def id(self) -> str:
        """Name of this process as a worker."""
        if self._known[0] != os.getpid():
            self._known = (os.getpid(), _name())
        return self._known[1]

    def join(self, hooks: Consuming) -> None:
        """A broker is about to consume: what only a worker can do, can be done from now on."""
        if hooks not in self.hooks:
            self.hooks.append(hooks)

    def up(self) -> None:
        """One more broker consumes."""
        self._emit.worker_up(self.described())

    def down(self, hooks: Consuming, flush_s: float) -> None:
        """It stops; with the last one the worker does."""
        if hooks in self.hooks:
            self.hooks.remove(hooks)
            if not self.hooks:
                self._emit.worker_down(self.id, flush_s=flush_s)

    def described(self) -> Worker:
        """Describe the worker as it is now; how many slots it has, its receiver tells nobody."""
        running = tuple(self._here.runs)
        queues = dict.fromkeys(queue for each in self.hooks for queue in each.store.queues)
        return Worker(
            self.id,
            "asyncio",
            busy=len(running),
            running=running,
            children=(ChildProcess(os.getpid(), task_id=running[0] if running else None),),
            queues=tuple(queues),
            versions={"taskiq": version("taskiq")},
            config={"broker": ", ".join(type(each.store.broker).__name__ for each in self.hooks)},
        )


def is_supervised() -> bool:
    """Whether taskiq's command line started this process and starts it again."""
    return current_process().name.startswith("worker-")


def _name() -> str:
    name = current_process().name
    if is_supervised():
        return f"{platform.node()}/{os.getppid()}/{name}"
    return f"{platform.node()}/{os.getpid()}"
