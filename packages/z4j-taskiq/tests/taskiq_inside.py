"""Rig A: the worker is a receiver in a thread of the test process, on a real Redis."""

import asyncio
import json
import os
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import taskiq_brokers
import z4j_taskiq
from taskiq import AsyncBroker
from taskiq.kicker import AsyncKicker
from taskiq.receiver import Receiver
from z4j_core import Capability, EventKind
from z4j_taskiq import TaskiqEngine
from z4j_testing.engine import Seen
from z4j_testing.inside import Inside
from z4j_testing.marks import Marks, Trap
from z4j_testing.recorder import Recorder
from z4j_testing.signals import WAIT_S

SLOTS = 2
TURNS = 40
ENDS = {EventKind.SUCCEEDED, EventKind.FAILED, EventKind.CANCELLED}
LACKS = {
    "expires": "broker", "priority": "broker", "chain": "broker", "received": "broker",
    "crash": "broker", "eta": "broker",
}  # fmt: skip
benches = {}


class TaskiqBench:
    package = "z4j_taskiq"
    module = "taskiq"

    def __init__(self):
        self.brokers = []

    def engine(self):
        broker = taskiq_brokers.Parking(f"parking://{time.time_ns()}")
        globals()[f"bench_{len(self.brokers)}"] = broker  # found among the names of this module
        self.brokers.append(broker)
        return TaskiqEngine(broker)

    def produce(self, engine):
        kicker = AsyncKicker("bench.ok", engine.stores[0].broker, {})
        return asyncio.run(kicker.kiq(1)).task_id

    def hook_lists(self):
        return [
            (list(each.middlewares), dict(vars(each.formatter)), vars(each).get("listen"))
            for each in self.brokers
        ]

    def detected(self, engine):
        found = []
        z4j_taskiq.detect(None, found.append)
        return found

    def close(self):
        for number in range(len(self.brokers)):
            del globals()[f"bench_{number}"]


def shown(event):
    """A TaskEvent as plain data."""
    error = event.error
    return Seen(
        event.kind, event.task_id, event.attempt, event.task, event.queue, event.worker,
        None if event.args is None else json.loads(json.dumps(event.args)),
        None if event.kwargs is None else json.loads(json.dumps(event.kwargs)),
        event.result,
        None if error is None else type(error).__name__,
        str(error.args[0]) if error is not None and error.args else None,
        None if error is None else "".join(traceback.format_exception(error)),
        event.runtime_s, event.due_at, event.priority,
        event.parent_id, event.retry_of, event.pid, event.detail,
        event.schedule, (event.fire or "").partition(":")[0] or None,
    )  # fmt: skip


class Loop:
    """An event loop in a thread: a producer's or a worker's."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, awaitable, timeout_s=WAIT_S):
        return asyncio.run_coroutine_threadsafe(awaitable, self.loop).result(timeout_s)

    def start(self, awaitable):
        return asyncio.run_coroutine_threadsafe(awaitable, self.loop)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(WAIT_S)
        self.loop.close()


class Shop(Marks):
    """What both rigs share: sending as the host does, marks and releases."""

    slots = SLOTS
    pool = "asyncio"
    children = "none"

    def __init__(self, cell, url, queue, folder):
        self.cell, self.url, self.queue, self.broker = cell, url, queue, cell
        self.folder = Path(folder)
        self.lacks = LACKS
        self.loop = Loop()
        self.is_paused = False
        self._tokens = 0

    def name(self, task):
        return f"taskiq_shop:{task}"

    def send(self, task, *args, kwargs=None, queue=None, **options):
        labels = dict(self.sender.find_task(self.name(task)).labels) if task != UNKNOWN else {}
        if "delay_s" in options:
            options["delay"] = options.pop("delay_s")
        labels |= {"queue_name": queue or self.queue} | options
        kicker = AsyncKicker(self.name(task), self.sender_to(queue), labels)
        return self.loop.run(kicker.kiq(*args, **kwargs or {})).task_id

    def native(self):
        """As taskiq's scheduler sends a task: the schedule is a label."""
        return self.send("ok", 1, schedule_id="nightly"), "nightly"

    def sender_to(self, queue):
        """The broker that sends to a queue."""
        return self.sender

    def declare(self, queue):
        pass

    def occupy(self):
        busy = []
        for _ in range(self.slots):
            self._tokens += 1
            token = f"busy-{self._tokens}"
            busy.append((token, self.send("slow", token)))
        for _, task_id in busy:
            self.wait(task_id, EventKind.STARTED)
        return busy

    def vacate(self, occupied):
        for token, task_id in occupied:
            self.release(token)
            self.end(task_id)

    def verb(self, verb, **params):
        done = super().verb(verb, **params)
        if verb in (Capability.PAUSE, Capability.RESUME):
            self.is_paused = verb is Capability.PAUSE
        return done

    def quiet(self):
        """Wait until what was sent before has come through, or would have."""
        if self.is_paused:
            self.idle()
        else:
            for task_id in [self.send("ok", 1) for _ in range(self.slots)]:
                self.end(task_id)

    def wait(self, task_id, kind, *, attempt=None, timeout_s=WAIT_S):
        def found():
            facts = self.of(task_id)
            return [s for s in facts if s.kind == kind and attempt in (None, s.attempt)] or None

        return self.until(found, f"{kind.name} of {task_id}", timeout_s)[0]


UNKNOWN = "no_such_task_anywhere"


class RigInside(Shop, Inside):
    def __init__(self, cell, url, folder):
        Shop.__init__(self, cell, url, f"z4j-a-{time.time_ns()}", folder)
        self.before = os.environ.get("RIG_MARKS")
        os.environ["RIG_MARKS"] = str(folder)
        self.sender = taskiq_brokers.make(cell, url, self.queue)
        self.sender.is_worker_process = True
        self.emit = Recorder()
        self.engine = TaskiqEngine(self.sender)
        self.engine.attach(self.emit)
        self.finish = self.working = None

    def start(self):
        self.finish = asyncio.Event()
        self.working = self.loop.start(self._work())
        self.emit.changes.until(lambda: self.emit.up or None, "the worker")
        return self

    async def _work(self):
        with ThreadPoolExecutor(SLOTS) as executor:
            receiver = Receiver(self.sender, executor, max_async_tasks=SLOTS)
            await receiver.listen(self.finish)
        await self.sender.shutdown()

    def stop(self):
        self.loop.loop.call_soon_threadsafe(self.finish.set)
        self.working.result(WAIT_S)
        self.loop.close()
        self.engine.detach()
        os.environ.pop("RIG_MARKS")
        if self.before is not None:
            os.environ["RIG_MARKS"] = self.before

    def hostile(self, queue):
        trap = Trap(str(self.folder / "loaded.jsonl"))
        return park_a_pickle(self.engine, queue, trap)

    def idle(self):
        async def turns():
            for _ in range(TURNS):
                await asyncio.sleep(0.01)

        self.loop.run(turns())

    def until(self, found, what, timeout_s):
        return self.emit.changes.until(found, what, timeout_s)

    def of(self, task_id):
        return [shown(event) for event in self.emit.of(task_id)]

    def end(self, task_id, *, timeout_s=WAIT_S):
        self.emit.end(task_id, timeout_s=timeout_s)
        return next(seen for seen in self.of(task_id) if seen.kind in ENDS)


def park_a_pickle(engine, queue, trap):
    """A message as a broker with a PickleSerializer would write it, in a queue of Redis."""
    import pickle

    message = {
        "task_id": f"hostile-{time.time_ns()}", "task_name": "taskiq_shop:ok", "labels": {},
        "labels_types": {}, "args": [trap], "kwargs": {},
    }  # fmt: skip
    raw = pickle.dumps(message)
    if hasattr(engine.stores[0].broker, "js"):
        return raw, message["task_id"]
    client = engine.stores[0].client
    if "Stream" in type(engine.stores[0].broker).__name__:
        client.xadd(queue, {"data": raw})
    else:
        client.lpush(queue, raw)
    return message["task_id"]


__all__ = ["AsyncBroker", "RigInside", "Shop", "TaskiqBench"]
