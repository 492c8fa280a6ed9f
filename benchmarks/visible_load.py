"""An app under load: `visible_load.py RATE SECONDS` states three facts a task, RATE tasks a second.

Every 50 ms one task is a probe: its argument and the time of its first fact, in ns, go to stdout.
"""

from __future__ import annotations

import sys
import time
import uuid
from typing import Any

from z4j_core import Delivery, EventKind, TaskDef, TaskEvent, Worker
from z4j_core.agent import start

TICK_S = 0.01
PROBE_EVERY_S = 0.05
TASKS = ("shop.checkout", "shop.charge", "shop.send_mail", "shop.thumbnail")


class Steady:
    """An engine whose tasks run at once."""

    name = "steady"
    app = "bench"
    delivery = Delivery()
    unavailable: dict[Any, str] = {}  # noqa: RUF012  the contract's own type

    def __init__(self) -> None:
        self.emit: Any = None

    def attach(self, emit: Any) -> None:
        self.emit = emit

    def detach(self) -> None:
        self.emit = None

    def discover(self) -> list[TaskDef]:
        return [TaskDef(name) for name in (*TASKS, "bench.probe")]

    def enqueue(self, job: Any) -> str:
        raise NotImplementedError(job)

    def run(self, task: str, args: tuple[Any, ...]) -> None:
        """State that a task was enqueued, started and succeeded."""
        task_id, state = str(uuid.uuid4()), self.emit
        told: dict[str, Any] = {"attempt": 1, "task": task, "queue": "bench", "args": args}
        state(TaskEvent(EventKind.ENQUEUED, task_id, **told))
        state(TaskEvent(EventKind.STARTED, task_id, worker="steady@bench", **told))
        told |= {"worker": "steady@bench", "result": "ok", "runtime_s": 0.002}
        state(TaskEvent(EventKind.SUCCEEDED, task_id, **told))


def main(rate: float, seconds: float) -> None:
    """Keep the rate; a late tick catches up."""
    handle = start()
    engine = Steady()
    handle.attach(engine)
    engine.emit.worker_up(Worker("steady@bench", pool="solo", slots=1))
    begun = next_probe = time.perf_counter()
    sent = probes = 0
    while (now := time.perf_counter()) < begun + seconds:
        if now >= next_probe:
            next_probe += PROBE_EVERY_S
            probes += 1
            print(f"probe-{probes:06}", time.time_ns(), flush=True)
            engine.run("bench.probe", (f"probe-{probes:06}",))
        while sent < (now - begun) * rate:
            sent += 1
            engine.run(TASKS[sent % len(TASKS)], (sent, f"customer {sent % 997}"))
        time.sleep(max(0.0, TICK_S - (time.perf_counter() - now)))
    handle.close(5)


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
