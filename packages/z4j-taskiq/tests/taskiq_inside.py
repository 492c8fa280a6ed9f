"""Rig A: the worker is a receiver in a thread of the test process, on a real Redis."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import taskiq_brokers
import z4j_taskiq
from taskiq.kicker import AsyncKicker
from taskiq.receiver import Receiver
from z4j_core import Capability
from z4j_taskiq import TaskiqEngine
from z4j_testing.host import Host
from z4j_testing.inside import Inside
from z4j_testing.marks import Trap
from z4j_testing.recorder import Recorder
from z4j_testing.signals import WAIT_S

SLOTS = 2
TURNS = 40
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


class Shop(Host):
    """What both rigs share: sending as the host does, marks and releases."""

    slots = SLOTS
    pool = "asyncio"
    children = "none"

    def __init__(self, cell, url, queue, folder):
        super().__init__(folder)
        self.cell, self.url, self.queue, self.broker = cell, url, queue, cell
        self.lacks = LACKS
        self.loop = Loop()
        self.is_paused = False

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


UNKNOWN = "no_such_task_anywhere"


class RigInside(Shop, Inside):
    def __init__(self, cell, url, folder):
        Shop.__init__(self, cell, url, f"z4j-a-{time.time_ns()}", folder)
        self.borrow_environ(RIG_MARKS=str(folder))
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
        self.return_environ()

    def hostile(self, queue):
        trap = Trap(str(self.folder / "loaded.jsonl"))
        return park_a_pickle(self.engine, queue, trap)

    def idle(self):
        async def turns():
            for _ in range(TURNS):
                await asyncio.sleep(0.01)

        self.loop.run(turns())


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
