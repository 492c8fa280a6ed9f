"""Rig A: the consumer's worker and scheduler are threads of the test process, on a real Redis."""

import json
import os
import threading
import time
import traceback
from pathlib import Path

import huey_shop
import z4j_huey
from huey import FileHuey, MemoryHuey, RedisHuey, SqliteHuey
from redis import Redis
from z4j_core import Capability, EventKind
from z4j_huey.places import adapt
from z4j_testing.engine import Seen
from z4j_testing.inside import Inside
from z4j_testing.marks import Marks, Trap
from z4j_testing.recorder import Recorder
from z4j_testing.signals import WAIT_S

STORAGES = {"redis": RedisHuey, "sqlite": SqliteHuey, "file": FileHuey}
OTHERS = ("-parked", "-other", "-barrier")
LACKS = {
    "received": "broker", "ignore": "broker", "reject": "broker", "crash": "broker",
    "marks": "broker", "headers": "broker",
}  # fmt: skip
benches = []


def instance(broker, name, where, **more):
    """An instance on a storage; a directory has one queue, so each name has its own."""
    if broker == "redis":
        return RedisHuey(name, url=where, **more)
    if broker == "sqlite":
        return SqliteHuey(name, filename=f"{where}/huey.db", **more)
    return FileHuey(name, path=f"{where}/{name}", **more)


class HueyBench:
    package = "z4j_huey"
    module = "huey"

    def engine(self):
        huey = MemoryHuey(f"bench-{time.time_ns()}")
        huey_shop.made(huey)
        benches.append(huey)  # found among the names of this module
        globals()[f"bench_{len(benches)}"] = huey
        return adapt(huey)

    def produce(self, engine):
        cls = engine.huey._registry._registry["huey_shop.ok"]
        return engine.huey.enqueue(cls((1,))).id

    def hook_lists(self):
        def of(huey):
            receivers = {k: list(v) for k, v in huey._signal.receivers.items() if v}
            hooks = huey._pre_execute, huey._post_execute, huey._startup, huey._shutdown
            own = {k for k, v in vars(huey).items() if callable(v) and hasattr(v, "__wrapped__")}
            return receivers, [dict(each) for each in hooks], own

        return [of(huey) for huey in benches]

    def detected(self, engine):
        found = []
        z4j_huey.detect(None, found.append)
        return found

    def close(self):
        for number in range(len(benches)):
            globals().pop(f"bench_{number + 1}", None)
        benches.clear()


def shown(event):
    """A TaskEvent as plain data."""
    error = event.error
    is_live = isinstance(error, BaseException)
    trace = "".join(traceback.format_exception(error)) if is_live else None
    message = str(error.args[0]) if is_live and error.args else ""
    return Seen(
        event.kind, event.task_id, event.attempt, event.task, event.queue, event.worker,
        None if event.args is None else json.loads(json.dumps(event.args)),
        None if event.kwargs is None else json.loads(json.dumps(event.kwargs)),
        event.result, type(error).__name__ if is_live else None,
        message, trace, event.runtime_s, event.due_at, event.priority,
        event.parent_id, event.retry_of, event.pid, event.detail,
        event.schedule, (event.fire or "").partition(":")[0] or None,
    )  # fmt: skip


def numbered(facts):
    """Facts of one task with their attempts, which Huey does not number."""
    retried, found = 0, []
    for seen in facts:  # not by starts: one that its end has told again may be left out
        found.append(seen._replace(attempt=retried + 1))
        retried += seen.kind is EventKind.RETRYING
    return found


class Shop(Marks):
    """What both rigs share: sending as the host does, marks and releases."""

    slots = 1

    def __init__(self, broker, pool, where, folder, queue):
        self.broker, self.pool, self.where, self.queue = broker, pool, where, queue
        self.folder = Path(folder)
        self.children = "kept" if pool == "process" else "none"
        self.lacks = dict(LACKS)
        if pool == "thread" or not huey_shop.HAS_TIMEOUT:
            self.lacks["hard limit"] = "pool" if huey_shop.HAS_TIMEOUT else "version"
        if broker == "redis":
            self.lacks["priority"] = "broker"
        names = (queue, *(queue + end for end in OTHERS))
        self.hueys = {name: instance(broker, name, where) for name in names}
        self.huey = self.hueys[queue]
        self.tasks = {name: huey_shop.made(huey) for name, huey in self.hueys.items()}
        self.engines = {name: adapt(huey) for name, huey in self.hueys.items()}
        self.engine = self.engines[queue]
        self._tokens = 0

    def name(self, task):
        return f"huey_shop.{task}"

    def send(self, task, *args, kwargs=None, delay_s=None, queue=None, then=None, expires_s=None,
             **options):  # fmt: skip
        tasks = self.tasks[queue or self.queue]
        huey = self.hueys[queue or self.queue]
        if task not in tasks:
            return self.send_unknown(huey.name, task, args)
        more = {"expires": expires_s, "delay": delay_s, **options}
        made = tasks[task].s(*args, **(kwargs or {}), **{k: v for k, v in more.items() if v})
        if then:
            made = made.then(tasks[then])
        huey.enqueue(made)
        return made.id

    def native(self):
        """As Huey's own scheduler sends a periodic task."""
        made = self.tasks[self.queue]["nightly"].s()
        self.huey.enqueue(made)
        return made.id, self.name("nightly")

    def send_unknown(self, name, task, args):
        """A task that only another part of the app has."""
        other = instance(self.broker, name, self.where)
        made = other.task(name=task)(huey_shop.ok).s(*(args or (1,)))
        other.enqueue(made)
        return made.id

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

    def wait(self, task_id, kind, *, attempt=None, timeout_s=WAIT_S):
        def found():
            facts = self.of(task_id)
            return [s for s in facts if s.kind == kind and attempt in (None, s.attempt)] or None

        return self.until(found, f"{kind.name} of {task_id}", timeout_s)[0]

    def quiet(self):
        """Wait until what was sent before has come through; a paused worker takes its looks."""
        if self.is_paused:
            self.looks()
        else:
            self.end(self.send("ok", 1))

    def engine_of(self, queue):
        return self.engines[queue or self.queue]

    def clear(self):
        for huey in self.hueys.values():
            huey.flush()
            huey.storage.close()
            if self.broker == "redis":
                huey.storage.conn.close()


class RigInside(Inside, Shop):
    def __init__(self, url, folder):
        Shop.__init__(self, "redis", "thread", url, folder, f"z4ja{time.time_ns()}")
        self.emit = Recorder()
        for engine in self.engines.values():
            engine.attach(self.emit)
        self.before = os.environ.get("RIG_MARKS")
        os.environ["RIG_MARKS"] = str(folder)
        huey_shop.here.update(self.tasks[self.queue])
        self.consumer = self.huey.create_consumer(workers=1, check_worker_health=False)

    @property
    def is_paused(self):
        return self.emit.gate(self.queue).closed

    def looks(self):
        looked, gate = threading.Semaphore(0), self.emit.gate(self.queue)
        before = gate.wait

        def wait(timeout_s):
            looked.release()
            return before(timeout_s)

        gate.wait = wait
        for _ in range(2):
            assert looked.acquire(timeout=WAIT_S)
        del gate.wait

    def start(self):
        self.consumer.scheduler.start()
        for _, thread in self.consumer.worker_threads:
            thread.start()
        self.emit.changes.until(lambda: self.emit.up or None, "the worker")
        return self

    def stop(self):
        self.consumer.stop_flag.set()
        for _, thread in self.consumer.worker_threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()
        self.consumer.scheduler.join(WAIT_S)
        for engine in self.engines.values():
            engine.detach()
        self.clear()
        huey_shop.here.clear()
        if self.before is None:
            del os.environ["RIG_MARKS"]

    def verb(self, verb, **params):
        """As the agent does it: the gate follows, and a queue has an engine of its own."""
        job = params.get("job")
        queue = params.get("queue") or (job.queue if job else None)
        if verb in self.engine_of(queue).unavailable:
            return Inside.verb(self, verb, **params)
        answer = getattr(self.engine_of(queue), verb.value)(**params)
        if verb is Capability.PAUSE:
            self.emit.gate(queue).close()
        elif verb is Capability.RESUME:
            self.emit.gate(queue).open()
        return answer

    def until(self, found, what, timeout_s):
        return self.emit.changes.until(found, what, timeout_s)

    def of(self, task_id):
        return numbered([shown(event) for event in self.emit.of(task_id)])

    def end(self, task_id, *, timeout_s=WAIT_S):
        self.emit.end(task_id, timeout_s=timeout_s)
        ends = (EventKind.SUCCEEDED, EventKind.FAILED, EventKind.CANCELLED, EventKind.EXPIRED)
        return next(seen for seen in self.of(task_id) if seen.kind in ends)


__all__ = ["HueyBench", "Redis", "RigInside", "Shop", "numbered"]
