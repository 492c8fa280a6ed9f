"""A worker in another process, the real agent on both sides, a fake brain: rig B of any engine.

The rule: it sees what a brain sees and asks as a brain asks. A rig of an adapter adds the app, the
worker's command line and how its engine sends.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self, TypeVar
from uuid import UUID

from z4j_core import (
    Capability,
    ChildProcess,
    Engine,
    EngineError,
    EventKind,
    Held,
    Job,
    Page,
    QueueDepth,
    Scope,
    Stop,
    TaskState,
    Worker,
)
from z4j_core.agent.boot import Handle
from z4j_core.clock import SystemClock
from z4j_core.config import load
from z4j_core.invoke import Answering
from z4j_core.model.commands import ResultState, TargetCode
from z4j_core.wire import RecordType
from z4j_core.wire.bodies import Want
from z4j_core.wire.items import Fire, Task, WorkerState

from .brain import FakeBrain
from .demo.processes import bound
from .engine import Seen
from .signals import PATIENCE, eventually

T = TypeVar("T")
BROKER, PROCESS = int(Scope.BROKER), int(Scope.PROCESS)
START_S = 40.0
ANSWER_S = 15.0
_RUN = "import sys; from z4j_core.cli.run import main; sys.exit(main(sys.argv[1:]))"
_WITHHELD = 8
_FOR_EVER_MS = 3_600_000
"""A deadline counts from when the agent was welcomed, and a rig may work for long."""
_BEAT_MS = 500
_WORKERS = 3
_SUPPRESSED = 9
_STOPS = {
    TargetCode.OK: Stop.ASKED,
    TargetCode.ALREADY: Stop.ALREADY,
    TargetCode.NOT_HERE: Stop.NOT_HERE,
}


def under_run(tool: str, *arguments: str) -> list[str]:
    """The command `z4j run -- TOOL …`, with the tool that stands beside this Python."""
    found = shutil.which(tool, path=str(Path(sys.executable).parent))
    assert found is not None, f"{tool} is not installed"
    return [sys.executable, "-c", _RUN, "--", found, *arguments]


def text_of(preview: Any) -> str | None:
    """The text of a preview; None when it was withheld."""
    return None if preview is None or preview.flags & _WITHHELD else str(preview.text)


def data_of(preview: Any) -> Any:
    """The data a preview shows."""
    text = text_of(preview)
    return None if text is None else json.loads(text)


def shown(task: Task) -> Seen:
    """A TASK item as plain data."""
    message = text_of(task.exc_message)
    return Seen(
        EventKind(task.kind), task.task_id, task.attempt, task.name, task.queue, task.worker,
        data_of(task.args), data_of(task.kwargs), data_of(task.result),
        (task.exc_type or "").rpartition(".")[2] or None, message, text_of(task.traceback),
        None if task.runtime is None else task.runtime / 1e6,
        None if task.eta is None else task.eta / 1e6,
        task.priority, task.parent, task.retry_of, task.pid, (task.extra or {}).get("detail"),
        task.schedule, None if task.fire_id is None else str(UUID(bytes=task.fire_id)),
        task.tries_left,
    )  # fmt: skip


class Outside:
    """The brain's side of a worker; `engine` is the producer's, in this process.

    An adapter's rig is a `Host` too, and has `start_worker` and `clear`, which leaves nothing of it
    on the broker.
    """

    in_process = False
    engine: Engine
    handle: Handle
    queue: str
    worker: subprocess.Popen[bytes]
    log: IO[str]
    start_worker: Callable[[], None]
    send: Callable[..., str]
    wait: Callable[..., Seen]
    end: Callable[..., Seen]
    clear: Callable[[], object]
    ends_by = signal.SIGTERM
    """What ends the worker, when the rig stops."""

    def __init__(self, engine_name: str, folder: Path) -> None:
        self.engine_name = engine_name
        self.folder = folder
        self.brain = FakeBrain()
        self.brain.knobs.hb_ms = _BEAT_MS
        self._last = contextlib.ExitStack()

    # Life.

    def start(self) -> Self:
        """Start brain, agents and worker; returns once both sides have told of a first run."""
        self._last.callback(self.clear)
        self.observe()
        self.start_worker()
        first = self.send("ok", 1)  # the producer's agent starts with its first fact
        self.wait(first, EventKind.ENQUEUED)
        self.end(first)
        return self

    def stop(self) -> None:
        """Whatever fails on the way, nothing of it is left."""
        with self._last:
            if hasattr(self, "worker") and self.worker.poll() is None:
                self.stop_worker(self.ends_by)

    def observe(self) -> None:
        """Start brain and producer's agent, which observes `engine`."""
        self.brain.start()
        self._last.callback(self.brain.stop)
        settings = {
            "dsn": self.brain.dsn, "spool_dir": str(self.folder / "spool"), "engines": ["none"],
            "allow": "all", "args": "full",
        }  # fmt: skip
        self.handle = Handle(load(settings, environ={}, cwd=self.folder))
        self._last.callback(self.handle.close)
        self.handle.start()
        self.handle.attach(self.engine)

    def launch(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path, name: str = "worker",
        *, wait: bool = True,
    ) -> None:  # fmt: skip
        """Start the worker and, with `wait`, wait until its agent said so."""
        self.log = (self.folder / f"{name}.log").open("a")
        seen = len(self.states(1))
        self.worker = subprocess.Popen(  # noqa: S603  (a worker of ours)
            bound(command, signal.SIGTERM),
            cwd=cwd, stdout=self.log, stderr=self.log, env={**os.environ, **self.agent(), **env},
            start_new_session=True,
        )  # fmt: skip
        self._last.callback(self.kill_worker)
        if wait:
            self.brain.wait_for(lambda: len(self.states(1)) > seen, START_S)

    def agent(self) -> dict[str, str]:
        """Settings of the worker's agent."""
        return {
            "Z4J_DSN": self.brain.dsn, "Z4J_SPOOL_DIR": str(self.folder / "spool"),
            "Z4J_ALLOW": "all", "Z4J_ARGS": "full",
        }  # fmt: skip

    def stop_worker(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the worker, all of it at once when killed; its exit code."""
        if how == signal.SIGKILL:
            os.killpg(self.worker.pid, how)
        else:
            self.worker.send_signal(how)
        code = self.worker.wait(START_S * PATIENCE)
        self.log.close()
        return code

    def kill_worker(self) -> None:
        """Leave nothing of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.worker.pid, signal.SIGKILL)

    def states(self, what: int) -> list[WorkerState]:
        """What was said of workers: 1 online, 3 offline."""
        return [i for i in self.brain.store.items if isinstance(i, WorkerState) and i.what == what]

    # Facts.

    def told(self, task_id: str) -> list[Seen]:
        """All facts of a task with the engine's own attempts."""
        return [shown(task) for task in self.brain.store.tasks if task.task_id == task_id]

    def until(self, found: Callable[[], T], what: str, timeout_s: float) -> T:
        """Wait until the brain knows something.

        Raises:
            AssertionError: it does not.
        """
        try:
            self.brain.wait_for(found, timeout_s)
        except TimeoutError as error:
            raise AssertionError(f"waited for {what}: {error}") from error
        return found()

    def hook_errors(self) -> list[object]:
        """Whatever went wrong on either side."""
        ours = ["hook errors"] if self.handle.status()["hook_errors"] else []
        return [*self.brain.store.faults, *ours]

    # Schedules.

    def place(self, job: Job) -> str:
        """Place a job by the producer's engine, as a leader in its process does."""
        return str(Answering(self.engine).enqueue(job))

    def suppressed(self) -> list[str]:
        """Fires of which the worker has told that it dropped a copy."""
        fires = [item for item in self.brain.store.items if isinstance(item, Fire)]
        return [str(UUID(bytes=each.fire_id)) for each in fires if each.status == _SUPPRESSED]

    # Verbs, as a brain sends them.

    def offered(self) -> tuple[dict[str, int], dict[str, str]]:
        """What the worker's agent advertises: verb to scope, and why others are missing."""
        registers = self.brain.store.registers
        apps = [app for each in registers if each.role == "worker" for app in each.apps]
        return {verb.verb: verb.scope for verb in apps[-1].verbs}, dict(apps[-1].unavailable or {})

    def missing(self, verb: Capability) -> str | None:
        """Why the worker's agent does not offer a verb."""
        verbs, missing = self.offered()
        return None if verb.value in verbs else missing.get(verb.value, "not implemented")

    def stream(self, role: str) -> bytes:
        """Stream of the newest open agent of a role: `worker`, else the producer here."""

        def found() -> list[bytes]:
            open_streams = {link.stream for link in self.brain.links if link.is_open}
            return [
                each.stream for each in self.brain.store.registers
                if each.stream in open_streams and (each.role == "worker") == (role == "worker")
            ]  # fmt: skip

        # It may be about to connect again.
        return self.until(found, f"an open connection of a {role}", ANSWER_S)[-1]

    def ask(
        self, verb: str, targets: Sequence[str] = (), params: Mapping[str, Any] | None = None,
        role: str = "",
    ) -> Any:  # fmt: skip
        """Send a command to the agent that can carry it out and return what it says.

        Raises:
            EngineError: it was not done.
        """
        scope = self.offered()[0].get(verb, BROKER)
        role = role or ("producer" if scope & BROKER else "worker")
        command = self.brain.command(
            verb, self.engine_name, self.engine.app, list(targets), dict(params or {}),
            stream=self.stream(role), deadline_ms=_FOR_EVER_MS,
        )  # fmt: skip
        result = self.brain.result(command, ANSWER_S)
        if result.state != ResultState.DONE:
            raise EngineError(f"{verb}: {result.code} {result.detail}")
        return result

    def verb(self, verb: Capability, **params: Any) -> Any:
        """Carry out a verb as the suite names it."""
        return getattr(self, f"_{verb.value}")(**params)

    def cancel(self, task_id: str) -> Stop:
        """Both halves of a cancel, each where it belongs; the worker's answer, if it has one."""
        here, anywhere = (
            _STOPS[
                TargetCode(self.ask("cancel", [task_id], {"scope": scope}, role).targets[0].code)
            ]
            for scope, role in ((PROCESS, "worker"), (BROKER, "producer"))
        )
        return anywhere if here is Stop.NOT_HERE else here

    def retry(self, task_id: str, *, delay_s: float | None = None) -> str:
        """Retry by reference; the message is kept a moment after the end is told."""
        params = {} if delay_s is None else {"eta": SystemClock().wall_us() + int(delay_s * 1e6)}

        def tried() -> str | None:
            try:
                return str(self.ask("retry", [task_id], params).targets[0].new_id)
            except EngineError as error:
                if "replay.missing" not in str(error):
                    raise
                return None

        return eventually(tried, f"the message of {task_id}", 5)

    def worker_now(self) -> Worker:
        """The worker of the rig's queue, as its agent describes it now."""
        link = next(each for each in self.brain.links if each.stream == self.stream("worker"))
        beats = len(self.brain.store.beats)
        self.brain.wait_for(lambda: len(self.brain.store.beats) > beats + 3, ANSWER_S)
        seen = len(self.brain.store.snapshots)

        def rows() -> list[Any]:
            pages = [p for p in self.brain.store.snapshots[seen:] if p.kind == _WORKERS]
            found = [row for page in pages for row in page.rows]
            return sorted(found, key=lambda row: self.queue in row[6])  # one may have several

        link.send(RecordType.WANT, (Want(_WORKERS, self.engine_name, self.engine.app, 0),))
        row = self.until(rows, "a snapshot of workers", ANSWER_S)[-1]
        return Worker(
            row[0], row[1], row[2], row[3], tuple(row[4]),
            tuple(ChildProcess(child[0]) for child in row[5]), tuple(row[6]),
        )  # fmt: skip

    def _enqueue(self, job: Job) -> str:
        params: dict[str, Any] = {
            "args": json.dumps(job.args), "kwargs": json.dumps(dict(job.kwargs)),
        }  # fmt: skip
        given = {"id": job.id, "queue": job.queue, "priority": job.priority}
        params |= {key: value for key, value in given.items() if value is not None}
        if job.eta is not None:
            params["eta"] = int(job.eta * 1e6)
        return str(self.ask("enqueue", [job.task], params).targets[0].new_id)

    def _requeue(self, queue: str, task_id: str) -> str:
        return str(self.ask("requeue", [task_id], {"queue": queue}).targets[0].new_id)

    def _depth(self, queue: str) -> QueueDepth:
        return QueueDepth(**self.ask("depth", [queue]).evidence["0"])

    def _purge(self, queue: str) -> int:
        return int(self.ask("purge", [queue]).evidence["0"]["purged"])

    def _peek(self, queue: str, limit: int = 20, cursor: str | None = None) -> Page:
        return self._page("peek", queue, limit, cursor)

    def _dead_letters(self, queue: str, limit: int = 20, cursor: str | None = None) -> Page:
        return self._page("dead_letters", queue, limit, cursor)

    def _page(self, verb: str, queue: str, limit: int, cursor: str | None) -> Page:
        asked = self.ask(verb, [queue], {"limit": limit, "cursor": cursor})
        evidence = asked.evidence["0"]
        items = [
            Held(row["id"], row["task"], row["queue"], TaskState(row["state"]), row["args"],
                 row["kwargs"], row["opaque"])
            for row in evidence["items"]
        ]  # fmt: skip
        return Page(tuple(items), evidence["cursor"])

    def _pause(self, queue: str) -> None:
        self.ask("pause", [queue])

    def _resume(self, queue: str) -> None:
        self.ask("resume", [queue])

    def _rate_limit(self, task: str, per_second: float | None) -> None:
        self.ask("rate_limit", [task], {"per_second": per_second})

    def _pool(self, worker_id: str, delta: int) -> int:
        asked = self.ask("pool", [worker_id], {"delta": delta}, "worker")
        return int(asked.evidence["0"]["slots"])

    def _restart(self, worker_id: str) -> None:
        self.ask("restart", [worker_id], role="worker")

    def _terminate(self, task_id: str) -> Any:
        return self.ask("terminate", [task_id], {"scope": PROCESS}, "worker")

    def _fetch(self, task_id: str) -> Held:
        row = self.ask("fetch", [task_id]).evidence["0"]
        return Held(row["id"], row["task"], row["queue"], TaskState(row["state"]),
                    json.loads(row["args"][2] or "null"))  # fmt: skip
