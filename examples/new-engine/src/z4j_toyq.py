"""toyq under z4j: what a stranger writes for an engine of their own."""

import os
from json import dumps, loads

from z4j_core import Delivery, EventKind, Native, TaskEvent, Worker
from z4j_core.definitions import definition
from z4j_core.place import redis_place


class ToyEngine:
    name, delivery, unavailable, hook = "toyq", Delivery(), {}, None

    def __init__(self, toy):
        self.toy, self.known = toy, {}
        self.app = redis_place(toy.redis.connection_pool, toy.queue)
        self.worker = Worker(f"toyq-{os.getpid()}", "solo", 1, queues=(toy.queue,))

    def attach(self, emit):
        self.detach()
        self.emit, self.hook = emit, emit.hook(self.saw)
        self.toy.hooks.append(self.hook)

    def detach(self):
        self.toy.hooks[:] = [hook for hook in self.toy.hooks if hook is not self.hook]

    def saw(self, what, told, value):
        if what == "up":
            self.emit.worker_up(self.worker)
        else:
            self.emit(TaskEvent(EventKind[what.upper()], **self.facts(what, told, value)))

    def facts(self, what, told, value):
        facts = {"task_id": told["id"], "attempt": max(told["tries"], 1), "task": told["name"]}
        facts |= {"queue": self.toy.queue, "args": told["args"], "kwargs": told["kwargs"]}
        facts["native"] = lambda: Native(told["name"], dumps(told).encode())
        if what != "enqueued":
            facts |= {"worker": self.worker.id, "pid": os.getpid()}
        facts["detail"] = None if told["name"] in self.toy.tasks else "unregistered"
        return facts | {"error" if isinstance(value, Exception) else "result": value}

    def discover(self):
        return [self.known.setdefault(n, definition(n, f)) for n, f in self.toy.tasks.items()]

    def enqueue(self, job):
        return self.toy.send(job.task, *job.args, id=job.id, **job.kwargs)

    def retry(self, native, *, task_id, queue=None, eta=None):
        return self.toy.push(loads(native.body) | {"id": os.urandom(8).hex(), "tries": 0})


def detect(_settings, found):
    import toyq  # here, for whoever has the adapter installed without the engine

    toyq.each(lambda toy: found(ToyEngine(toy)))
