"""Rig A: the worker runs in a thread of the test process, on a real Redis."""

import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import z4j_rq
from redis import Redis
from rq import Queue, Retry
from rq.job import Job
from rq.timeouts import TimerDeathPenalty
from rq.worker import SimpleWorker
from z4j_rq import RQEngine, seams
from z4j_rq.seams import worker_classes
from z4j_testing.demo.processes import bound
from z4j_testing.host import Host
from z4j_testing.inside import Inside
from z4j_testing.marks import Trap
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


class Shop(Host):
    """What both rigs share: sending as the host does, marks and releases."""

    numbers_attempts = False
    due_step_s = 1.0
    """RQ keeps whole seconds, rounded down."""

    def __init__(self, url, queue, pool, folder):
        super().__init__(folder)
        self.url, self.queue, self.broker, self.pool = url, queue, "redis", pool
        self.connection = Redis.from_url(url)
        self.children = "none" if pool == "simple" else "each"
        self.lacks = LACKS if pool != "simple" else {**LACKS, "crash": "pool"}

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
        self.engine.client.close()


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
        self.borrow_environ(RIG_MARKS=str(folder), RIG_BROKER=url)
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
        self.clear()
        self.return_environ()

    def _work(self):
        self.worker = ThreadWorker(self.queues, connection=Redis.from_url(self.url))
        self.worker.work(logging_level="CRITICAL")
        self.worker.connection.close()
