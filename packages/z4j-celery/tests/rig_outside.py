"""Rig B: the worker is another process on a real broker, the agent is real, the brain is a fake.

Only what passes here is advertised as proved.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import celery_shop
from rig_inside import Shop
from z4j_celery import CeleryEngine
from z4j_core import (
    Capability,
    EngineError,
    EventKind,
    Held,
    Page,
    QueueDepth,
    Stop,
    TaskState,
    Worker,
)
from z4j_core.agent.boot import Handle
from z4j_core.config import load
from z4j_core.model.commands import ResultState, TargetCode
from z4j_core.model.tasks import ENDS
from z4j_core.wire import RecordType
from z4j_core.wire.bodies import Want
from z4j_core.wire.items import WorkerState
from z4j_testing.brain import FakeBrain
from z4j_testing.demo.processes import bound
from z4j_testing.engine import Seen
from z4j_testing.signals import WAIT_S, eventually

HERE = Path(__file__).parent
BROKER, PROCESS = 1, 2
START_S = 40.0
_STOPS = {
    TargetCode.OK: Stop.ASKED,
    TargetCode.ALREADY: Stop.ALREADY,
    TargetCode.NOT_HERE: Stop.NOT_HERE,
}


def text_of(preview):
    """The text of a preview; None when it was withheld."""
    return None if preview is None or preview.flags & 8 else preview.text


def data_of(preview):
    text = text_of(preview)
    return None if text is None else json.loads(text)


def shown(task):
    """A TASK item as plain data."""
    message = text_of(task.exc_message)
    return Seen(
        EventKind(task.kind), task.task_id, task.attempt, task.name, task.queue, task.worker,
        data_of(task.args), data_of(task.kwargs), data_of(task.result),
        (task.exc_type or "").rpartition(".")[2] or None, message, text_of(task.traceback),
        None if task.runtime is None else task.runtime / 1e6,
        None if task.eta is None else task.eta / 1e6,
        task.priority, task.parent, task.retry_of, task.pid, (task.extra or {}).get("detail"),
    )  # fmt: skip


class RigOutside(Shop):
    in_process = False

    def __init__(self, url, backend, pool, folder, *, options=(), conf=None):
        """`options` go to the worker's command line, `conf` into its app and ours."""
        self.slots = 1 if pool == "solo" else 2
        broker = "redis" if url.startswith("redis") else "rabbitmq"
        queue = f"z4j-b-{broker}-{pool}-{time.time_ns()}"
        app = celery_shop.make_app(url, backend, queue, folder, conf)
        super().__init__(app, queue, broker, pool, self.slots, folder)
        self.url, self.backend, self.options, self.conf = url, backend, options, conf or {}
        self.engine = CeleryEngine(app)
        self.brain = FakeBrain()
        self.brain.knobs.hb_ms = 500
        self.hostname = f"b-{pool}-{os.getpid()}@rig"
        self.handle = self.worker = None

    # Life.

    def start(self):
        self.brain.start()
        settings = {
            "dsn": self.brain.dsn, "spool_dir": str(self.folder / "spool"), "engines": ["none"],
            "allow": "all", "args": "full",
        }  # fmt: skip
        self.handle = Handle(load(settings, environ={}, cwd=self.folder))
        self.handle.start()
        self.handle.attach(self.engine)
        self.start_worker()
        first = self.send("ok", 1)  # the producer's agent starts with its first fact
        self.wait(first, EventKind.ENQUEUED)
        self.end(first)
        return self

    def start_worker(self):
        seen = len(self.states(1))
        self.launch_worker()
        self.brain.wait_for(lambda: len(self.states(1)) > seen, START_S)

    def launch_worker(self):
        self.log = (self.folder / f"worker-{time.time_ns()}.log").open("w")
        self.worker = subprocess.Popen(
            bound([
                sys.executable, "-m", "celery", "-A", "celery_shop_worker", "worker",
                "-P", self.pool, "-c", str(self.slots), "-n", self.hostname, "-l", "WARNING",
                "-Q", f"{self.queue},{self.queue}-barrier", "--without-mingle", "--without-gossip",
                *self.options,
            ], signal.SIGTERM),
            cwd=HERE, stdout=self.log, stderr=self.log, env=self.environment(),
            start_new_session=True,
        )  # fmt: skip

    def environment(self):
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")])),
            "RIG_BROKER": self.url, "RIG_BACKEND": self.backend, "RIG_QUEUE": self.queue,
            "RIG_MARKS": str(self.folder), "RIG_CONF": json.dumps(self.conf),
            "Z4J_DSN": self.brain.dsn, "Z4J_SPOOL_DIR": str(self.folder / "spool"),
            "Z4J_ALLOW": "all", "Z4J_ARGS": "full", "C_FORCE_ROOT": "1",
        }  # fmt: skip

    def stop_worker(self, how=signal.SIGTERM):
        if how == signal.SIGKILL:
            os.killpg(self.worker.pid, how)
        else:
            self.worker.send_signal(how)
        code = self.worker.wait(START_S)
        self.log.close()
        return code

    def stop(self):
        """Whatever fails on the way, nothing of it is left."""
        with contextlib.ExitStack() as last:
            last.callback(self.app.close)
            last.callback(self.brain.stop)
            last.callback(self.handle.close)
            for end in ("", "-barrier", "-parked", "-other"):
                last.callback(self.drop, f"{self.queue}{end}")
            last.callback(self.kill_worker)
            if self.worker.poll() is None:
                self.stop_worker()

    def kill_worker(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.worker.pid, signal.SIGKILL)

    def drop(self, name):
        with self.app.connection_for_write() as connection:
            connection.default_channel.queue_delete(name)

    def states(self, what):
        return [i for i in self.brain.store.items if isinstance(i, WorkerState) and i.what == what]

    # Facts.

    def _tasks(self, task_id):
        return [task for task in self.brain.store.tasks if task.task_id == task_id]

    def of(self, task_id):
        return [shown(task) for task in self._tasks(task_id)]

    def wait(self, task_id, kind, *, attempt=None, timeout_s=WAIT_S):
        def found():
            return [
                t for t in self._tasks(task_id) if t.kind == kind and attempt in (None, t.attempt)
            ]

        return shown(self._until(found, f"{kind.name} of {task_id}", timeout_s)[0])

    def end(self, task_id, *, timeout_s=WAIT_S):
        kinds = ENDS - {EventKind.RETRYING}

        def found():
            return [task for task in self._tasks(task_id) if task.kind in kinds]

        return shown(self._until(found, f"an end of {task_id}", timeout_s)[0])

    def _until(self, found, what, timeout_s):
        try:
            self.brain.wait_for(found, timeout_s)
        except TimeoutError as error:
            raise AssertionError(f"waited for {what}: {error}") from error
        return found()

    # Verbs, as a brain sends them.

    def stream(self, role):
        """Stream of the newest open agent of a role: `worker`, else the producer here."""
        open_streams = {link.stream for link in self.brain.links if link.is_open}
        found = [
            each.stream for each in self.brain.store.registers
            if each.stream in open_streams and (each.role == "worker") == (role == "worker")
        ]  # fmt: skip
        return found[-1]

    def ask(self, verb, targets=(), params=None, role="producer"):
        command = self.brain.command(
            verb, "celery", self.engine.app, targets, params or {}, stream=self.stream(role)
        )
        result = self.brain.result(command, 15)
        if result.state != ResultState.DONE:
            raise EngineError(f"{verb}: {result.code} {result.detail}")
        return result

    def missing(self, verb):
        verbs, missing = offered_by(self)
        return None if verb.value in verbs else missing.get(verb.value, "not implemented")

    def verb(self, verb, **params):
        return getattr(self, f"_{verb.value}")(**params)

    def _enqueue(self, job):
        params = {"args": json.dumps(job.args), "kwargs": json.dumps(dict(job.kwargs))}
        for key in ("id", "queue", "priority"):
            if getattr(job, key) is not None:
                params[key] = getattr(job, key)
        if job.eta is not None:
            params["eta"] = int(job.eta * 1e6)
        return self.ask("enqueue", [job.task], params).targets[0].new_id

    def _depth(self, queue):
        return QueueDepth(**self.ask("depth", [queue]).evidence["0"])

    def _purge(self, queue):
        return self.ask("purge", [queue]).evidence["0"]["purged"]

    def _peek(self, queue, limit=20, cursor=None):
        evidence = self.ask("peek", [queue], {"limit": limit, "cursor": cursor}).evidence["0"]
        items = [
            Held(row["id"], row["task"], row["queue"], TaskState(row["state"]), row["args"],
                 row["kwargs"], row["opaque"])
            for row in evidence["items"]
        ]  # fmt: skip
        return Page(tuple(items), evidence["cursor"])

    def _pause(self, queue):
        self.ask("pause", [queue])

    def _resume(self, queue):
        self.ask("resume", [queue])

    def _rate_limit(self, task, per_second):
        self.ask("rate_limit", [task], {"per_second": per_second})

    def _pool(self, worker_id, delta):
        return self.ask("pool", [worker_id], {"delta": delta}, "worker").evidence["0"]["slots"]

    def _restart(self, worker_id):
        self.ask("restart", [worker_id], role="worker")

    def _terminate(self, task_id):
        return self.ask("terminate", [task_id], {"scope": PROCESS}, "worker")

    def _fetch(self, task_id):
        row = self.ask("fetch", [task_id], role="worker").evidence["0"]
        return Held(row["id"], row["task"], row["queue"], TaskState(row["state"]),
                    json.loads(row["args"][2] or "null"))  # fmt: skip

    def cancel(self, task_id):
        answers = [
            _STOPS[
                TargetCode(self.ask("cancel", [task_id], {"scope": scope}, role).targets[0].code)
            ]
            for scope, role in ((PROCESS, "worker"), (BROKER, "producer"))
        ]
        return Stop.ALREADY if Stop.ALREADY in answers else answers[-1]

    def retry(self, task_id, *, delay_s=None):
        """Retry by reference; the message is kept a moment after the end is told."""
        params = {} if delay_s is None else {"eta": int((time.time() + delay_s) * 1e6)}

        def tried():
            try:
                return self.ask("retry", [task_id], params).targets[0].new_id
            except EngineError as error:
                if "replay.missing" not in str(error):
                    raise
                return None

        return eventually(tried, f"the message of {task_id}", 3)

    def worker_now(self):
        link = next(each for each in self.brain.links if each.stream == self.stream("worker"))
        beats = len(self.brain.store.beats)
        self.brain.wait_for(lambda: len(self.brain.store.beats) > beats + 3)
        seen = len(self.brain.store.snapshots)

        def rows():
            return [
                row
                for each in self.brain.store.snapshots[seen:]
                if each.kind == 3
                for row in each.rows
            ]

        link.send(RecordType.WANT, (Want(3, "celery", self.engine.app, 0),))
        row = self._until(rows, "a snapshot of workers", 5)[-1]
        return Worker(
            row[0], row[1], row[2], row[3], tuple(row[4]),
            tuple(Child(child[0]) for child in row[5]), tuple(row[6]),
        )  # fmt: skip

    def hook_errors(self):
        return list(self.brain.store.faults) + (
            ["hook errors"] if self.handle.status()["hook_errors"] else []
        )


class Child:
    def __init__(self, pid):
        self.pid = pid


def offered_by(rig):
    """What the worker's agent advertises: verb to scope, and why others are missing."""
    apps = [app for each in rig.brain.store.registers if each.role == "worker" for app in each.apps]
    return {verb.verb: verb.scope for verb in apps[-1].verbs}, apps[-1].unavailable


__all__ = ["Capability", "RigOutside", "offered_by"]
