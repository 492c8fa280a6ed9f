"""What the suite asks of an engine's rig: a shop of tasks, a worker in a thread, how to send."""

import threading
import time
from collections import defaultdict

import toyq
import z4j_toyq
from redis import Redis
from z4j_testing.facts import Facts
from z4j_testing.inside import Inside, shown
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url
from z4j_testing.signals import WAIT_S, eventually

LACKS = dict.fromkeys(
    ("expires", "priority", "chain", "received", "ignore", "reject", "hard limit", "crash",
     "eta", "routing", "fires"), "broker",
)  # fmt: skip


class ToyBench:
    package, module = "z4j_toyq", "toyq"

    def __init__(self):
        self.redis = Redis.from_url(redis_url(8))
        self.toys = []

    def engine(self):
        self.toys.append(toyq.Toy(self.redis, f"toy-bench-{time.time_ns()}"))
        return z4j_toyq.ToyEngine(self.toys[-1])

    def produce(self, engine):
        return engine.toy.send("shop.ok", 1)

    def hook_lists(self):
        return [list(toy.hooks) for toy in self.toys]

    def detected(self, engine):
        found = []
        z4j_toyq.detect(None, found.append)
        return found

    def close(self):
        self.redis.delete(*(toy.queue for toy in self.toys), "none")
        self.redis.close()


class RigInside(Inside, Facts):
    broker, pool, slots, children, lacks = "redis", "solo", 1, "none", LACKS

    def __init__(self, url):
        self.queue = f"toy-{time.time_ns()}"
        self.toy = toyq.Toy(Redis.from_url(url), self.queue)
        self.events = defaultdict(threading.Event)
        self.seen = defaultdict(list)
        for each in (self.ok, self.echo, self.fail, self.flaky, self.doomed, self.slow, self.pause,
                     self.echo_then_fail, self.unstorable, self.parent):  # fmt: skip
            self.toy.tasks[self.name(each.__name__)] = each
        self.emit, self.engine = Recorder(), z4j_toyq.ToyEngine(self.toy)
        self.engine.attach(self.emit)
        self.thread = threading.Thread(target=self.toy.work, daemon=True)

    def start(self):
        self.thread.start()
        self.emit.changes.until(lambda: self.emit.up or None, "the worker")
        return self

    def stop(self):
        self.toy.is_over = True
        self.thread.join(WAIT_S)
        self.engine.detach()
        self.toy.redis.delete(self.queue, f"{self.queue}-parked")
        self.toy.redis.close()

    # The tasks.

    def ok(self, a, b=2):
        return {"sum": a + b}

    def echo(self, *args, **kwargs):
        self.seen["echo"].append([list(args), kwargs])

    def fail(self, text):
        raise ValueError(text)

    def flaky(self, n):
        self.seen["flaky"].append(n)
        if self.seen["flaky"].count(n) <= n:
            raise toyq.Again("again") from KeyError("again")
        self.seen["flaky"].clear()

    def doomed(self):
        self.seen["doomed"].append(1)
        if len(self.seen["doomed"]) % 3:
            raise toyq.Again
        raise ValueError("doomed")

    def slow(self, token):
        self.seen["began"].append(token)
        self.events[token].wait(WAIT_S)

    def pause(self, seconds):
        time.sleep(seconds)

    def echo_then_fail(self, *args, **kwargs):
        self.seen["echo_then_fail"].append([list(args), kwargs])
        raise ValueError("echoed")

    def unstorable(self):
        return object()

    def parent(self):
        return self.toy.send(self.name("ok"), 1)

    # How the suite asks.

    def name(self, task):
        return f"toy_inside.{task}"

    def send(self, task, *args, kwargs=None, queue=None, **_options):
        if queue is None:
            return self.toy.send(self.name(task), *args, **kwargs or {})
        return toyq.Toy(self.toy.redis, queue).send(self.name(task), *args, **kwargs or {})

    def declare(self, queue):
        self.toy.redis.delete(queue)

    def release(self, token):
        self.events[token].set()

    def marks(self, token, *, at_least=0):
        eventually(lambda: len(self.seen[token]) >= at_least, f"{at_least} marks of {token}")
        return list(self.seen[token])

    def quiet(self):
        self.end(self.send("ok", 1))

    def told(self, task_id):
        return [shown(event._replace(error=why(event.error))) for event in self.emit.of(task_id)]


def why(error):
    """What was wrong, where a task asked for another try because of it."""
    return error.__cause__ or error if isinstance(error, toyq.Again) else error
