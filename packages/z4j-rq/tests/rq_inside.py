"""Rig A: the worker runs in a thread of the test process, on a real Redis."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import rq.worker
import z4j_rq
from redis import Redis
from rq import Queue, Retry
from rq.job import Job
from rq.timeouts import TimerDeathPenalty
from rq.worker import SimpleWorker
from z4j_core import EventKind
from z4j_rq import RQEngine, seams
from z4j_rq.seams import worker_classes
from z4j_testing.demo.processes import bound
from z4j_testing.engine import Seen
from z4j_testing.inside import Inside
from z4j_testing.marks import Marks, Trap
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url
from z4j_testing.signals import WAIT_S, eventually

try:
    from rq.cron import CronJob
except ImportError:
    CronJob = None
HERE = Path(__file__).parent
RETRIES = {"flaky": 9, "stubborn": 3, "doomed": 2}
KEPT_S = 300
LACKS = {
    "expires": "broker", "priority": "broker", "chain": "broker", "received": "broker",
    "ignore": "broker", "reject": "broker", "retries again": "broker",
    "marks": "broker", "guard": "broker", "headers": "broker",
}  # fmt: skip
if CronJob is None:
    LACKS["native"] = "version"
benches = []


class RQBench:
    package = "z4j_rq"
    module = "rq"

    def __init__(self):
        self.dbs = [10, 11]
        self.queues = []

    def engine(self):
        connection = Redis.from_url(redis_url(self.dbs.pop()))
        queue = Queue(f"z4j-bench-{time.time_ns()}", connection=connection)
        benches.append(queue)  # found among the names of this module
        globals()[f"bench_{len(benches)}"] = queue
        self.queues.append(queue)
        return RQEngine(connection)

    def produce(self, engine):
        queue = next(q for q in self.queues if q.connection is engine.client)
        return queue.enqueue("bench.ok", 1).id

    def hook_lists(self):
        kinds = [Queue, Job, *worker_classes()]
        return dict(seams._listeners), {
            (kind, name): value
            for kind in kinds
            for name, value in vars(kind).items()
            if callable(getattr(kind, name)) and name != "__init__"
        }

    def detected(self, engine):
        found = []
        z4j_rq.detect(None, found.append)
        return found

    def close(self):
        for queue in self.queues:
            queue.delete(delete_jobs=True)
            queue.connection.close()


def shown(event):
    """A TaskEvent as plain data."""
    error = event.error
    trace = getattr(error, "traceback", None)
    if isinstance(error, BaseException):
        import traceback

        trace = "".join(traceback.format_exception(error))
    message = getattr(error, "message", None)
    if isinstance(error, BaseException):
        message = str(error.args[0]) if error.args else ""
    return Seen(
        event.kind, event.task_id, event.attempt, event.task, event.queue, event.worker,
        None if event.args is None else json.loads(json.dumps(event.args)),
        None if event.kwargs is None else json.loads(json.dumps(event.kwargs)),
        event.result,
        getattr(error, "type", type(error).__name__) if error is not None else None,
        message, trace, event.runtime_s, event.due_at, event.priority,
        event.parent_id, event.retry_of, event.pid, event.detail,
        event.schedule, (event.fire or "").partition(":")[0] or None,
    )  # fmt: skip


def numbered(facts):
    """Facts of one task with their attempts, which RQ does not number."""
    retried, found = 0, []
    for seen in facts:  # not by starts: one that its end has told again may be left out
        found.append(seen._replace(attempt=retried + 1))
        retried += seen.kind is EventKind.RETRYING
    return found


class Shop(Marks):
    """What both rigs share: sending as the host does, marks and releases."""

    slots = 1
    lacks = LACKS

    def __init__(self, url, queue, pool, folder):
        self.url, self.queue, self.broker, self.pool = url, queue, "redis", pool
        self.folder = Path(folder)
        self.connection = Redis.from_url(url)
        self.children = "none" if pool == "simple" else "each"
        self.lacks = LACKS if pool != "simple" else {**LACKS, "crash": "pool"}
        self._tokens = 0

    def name(self, task):
        return f"rq_shop.{task}"

    def send(self, task, *args, kwargs=None, delay_s=None, queue=None, **options):
        place = Queue(queue or self.queue, connection=self.connection)
        options |= {
            "args": args, "kwargs": kwargs or {}, "result_ttl": KEPT_S, "failure_ttl": KEPT_S,
            "retry": Retry(RETRIES[task]) if task in RETRIES else None,
            "job_timeout": 1 if task == "hard" else None,
        }  # fmt: skip
        if delay_s is not None:
            return place.enqueue_in(timedelta(seconds=delay_s), self.name(task), **options).id
        return place.enqueue(self.name(task), **options).id

    def options_for(self, task):
        return {"retry": Retry(RETRIES[task])} if task in RETRIES else {}

    def native(self):
        """As RQ's own cron sends a job."""
        import rq_shop

        nightly = CronJob(self.queue, rq_shop.ok, args=(1,), interval=3600)
        sent = nightly.enqueue(self.connection)
        return sent.id, getattr(nightly, "name", None) or self.name("ok")

    def hostile(self, queue):
        return self.send("ok", Trap(str(self.folder / "loaded.jsonl")), queue=queue)

    def declare(self, queue):
        pass

    def occupy(self):
        self._tokens += 1
        token = f"busy-{self._tokens}"
        task_id = self.send("slow", token)
        self.wait(task_id, EventKind.STARTED)
        return token, task_id

    def vacate(self, occupied):
        token, task_id = occupied
        self.release(token)
        self.end(task_id)

    def quiet(self):
        """Wait until what was sent before has come through: a run on the worker's other queue."""
        self.end(self.send("ok", 1, queue=f"{self.queue}-barrier"))

    def wait(self, task_id, kind, *, attempt=None, timeout_s=WAIT_S):
        def found():
            facts = self.of(task_id)
            return [s for s in facts if s.kind == kind and attempt in (None, s.attempt)] or None

        return self.until(found, f"{kind.name} of {task_id}", timeout_s)[0]

    def clear(self):
        """Take all jobs and queues of this rig out of Redis."""
        for key in list(self.connection.scan_iter("rq:job:*", 1000)):
            if b":" in key[7:]:
                continue
            origin = self.connection.hget(key, "origin") or b""
            if origin.decode().startswith(self.queue):
                self.connection.delete(key, key + b":dependents")
        self.connection.delete(*self.connection.scan_iter(f"rq:*{self.queue}*", 1000), "none")
        for end in ("", "-barrier", "-parked", "-other"):
            self.connection.srem("rq:queues", f"rq:queue:{self.queue}{end}")
        self.connection.close()


class ThreadWorker(SimpleWorker):
    """RQ's SimpleWorker where no signals can be had."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self):
        pass


class RigInside(Inside, Shop):
    def __init__(self, url, folder):
        Shop.__init__(self, url, f"z4j-a-{time.time_ns()}", "simple", folder)
        self.emit = Recorder()
        self.engine = RQEngine(Redis.from_url(url), tasks=["rq_shop"])
        self.engine.attach(self.emit)
        self.before = {k: os.environ.get(k) for k in ("RIG_MARKS", "RIG_BROKER")}
        os.environ.update(RIG_MARKS=str(folder), RIG_BROKER=url)
        self.queues = [self.queue, f"{self.queue}-barrier"]
        self.scheduler = self.worker = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self):
        self.scheduler = subprocess.Popen(
            bound([sys.executable, str(HERE / "rq_scheduler.py"), self.url, *self.queues]),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        lock = f"rq:scheduler-lock:{self.queue}"
        eventually(lambda: self.connection.exists(lock), "the scheduler")
        self._thread.start()
        self.emit.changes.until(lambda: self.emit.up or None, "the worker")
        self.end(self.send("ok", 1))  # from now on the queue of `ok` is known, and the worker waits
        return self

    def stop(self):
        self.scheduler.send_signal(signal.SIGKILL)
        self.scheduler.wait(WAIT_S)
        self.worker._stop_requested = True
        self.send("ok", 1, queue=self.queues[1])
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        self.engine.detach()
        self.engine.client.close()
        self.clear()
        for key, value in self.before.items():
            os.environ.pop(key, None) if value is None else os.environ.update({key: value})

    def _work(self):
        self.worker = ThreadWorker(self.queues, connection=Redis.from_url(self.url))
        self.worker.work(logging_level="CRITICAL")
        self.worker.connection.close()

    def until(self, found, what, timeout_s):
        return self.emit.changes.until(found, what, timeout_s)

    def of(self, task_id):
        return numbered([shown(event) for event in self.emit.of(task_id)])

    def end(self, task_id, *, timeout_s=WAIT_S):
        self.emit.end(task_id, timeout_s=timeout_s)
        ends = (EventKind.SUCCEEDED, EventKind.FAILED, EventKind.CANCELLED)
        return next(seen for seen in self.of(task_id) if seen.kind in ends)


__all__ = ["RQBench", "RigInside", "Shop", "numbered", "rq"]
