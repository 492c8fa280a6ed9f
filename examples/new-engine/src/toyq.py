"""A task queue on a Redis list. It knows nothing of z4j: it tells its `hooks` what happens."""

import json
import uuid

_made, _told = [], []


class Again(Exception):
    """Raised by a task that wants to run once more."""


def each(tell):
    """Call `tell` with every queue of this process, now and whenever one is made."""
    _told.append(tell)
    for toy in _made:
        tell(toy)


class Toy:
    """One queue, its tasks and, in a worker, its loop."""

    def __init__(self, redis, queue="toy"):
        self.redis, self.queue = redis, queue
        self.tasks, self.hooks, self.is_over = {}, [], False
        _made.append(self)
        for tell in _told:
            tell(self)

    def task(self, function):
        """Register a function under its module and name."""
        self.tasks[f"{function.__module__}.{function.__name__}"] = function
        return function

    def send(self, name, *args, id=None, **kwargs):
        """Have a task run once; its id."""
        message = {"id": id or str(uuid.uuid4()), "name": name, "args": args, "kwargs": kwargs}
        return self.push(message | {"tries": 0})

    def push(self, message):
        """Have a message run; its id."""
        self.redis.rpush(self.queue, json.dumps(message))
        self.tell("enqueued", message)
        return message["id"]

    def work(self):
        """Run tasks until `is_over`."""
        self.tell("up")
        while not self.is_over:
            popped = self.redis.blpop([self.queue], timeout=0.2)
            if popped:
                self.run(json.loads(popped[1]))

    def run(self, message):
        """Run one task; what it raises is told, never raised."""
        message["tries"] += 1
        self.tell("started", message)
        try:
            task = self.tasks[message["name"]]
            self.tell("succeeded", message, task(*message["args"], **message["kwargs"]))
        except Again as error:
            self.tell("retrying", message, error)
            self.redis.rpush(self.queue, json.dumps(message))
        except Exception as error:
            self.tell("failed", message, error)

    def tell(self, what, message=None, value=None):
        """Tell all hooks."""
        for hook in self.hooks:
            hook(what, message, value)
