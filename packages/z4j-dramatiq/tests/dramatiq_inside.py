"""Rig A: the worker runs in threads of the test process, on a real Redis."""

import time

import dramatiq_shop
import z4j_dramatiq
from dramatiq.actor import Actor
from dramatiq.brokers.stub import StubBroker
from dramatiq.encoder import PickleEncoder
from dramatiq.message import Message
from dramatiq.worker import Worker
from z4j_core import Capability
from z4j_dramatiq import DramatiqEngine
from z4j_testing.host import Host
from z4j_testing.inside import Inside
from z4j_testing.marks import Trap
from z4j_testing.recorder import Recorder

LACKS = {
    "received": "broker", "ignore": "broker", "reject": "broker", "crash": "pool",
    "native": "broker",
}  # fmt: skip
QUEUES = ("", "-barrier", "-parked", "-other")


class DramatiqBench:
    package = "z4j_dramatiq"
    module = "dramatiq"

    def __init__(self):
        self.brokers = []

    def engine(self):
        broker = StubBroker()
        broker.declare_queue("bench")
        globals()[f"bench_{id(broker)}"] = broker  # found among the names of this module
        self.brokers.append(broker)
        return DramatiqEngine(broker)

    def produce(self, engine):
        return engine.broker.enqueue(Message("bench", "ok", (1,), {}, {})).message_id

    def hook_lists(self):
        return [
            *((broker.middleware, "consume" in vars(broker)) for broker in self.brokers),
            Actor.__call__,
        ]

    def detected(self, engine):
        found = []
        z4j_dramatiq.detect(None, found.append)
        return found

    def close(self):
        for broker in self.brokers:
            del globals()[f"bench_{id(broker)}"]


class Shop(Host):
    """What both rigs share: sending as the host does, marks and releases."""

    children = "none"

    def __init__(self, url, queue, pool, folder, slots=2):
        super().__init__(folder)
        self.url, self.queue, self.pool, self.slots = url, queue, pool, slots
        self.broker = "redis" if url.startswith("redis") else "rabbitmq"
        self.lacks = LACKS if self.broker == "rabbitmq" else {**LACKS, "priority": "broker"}
        self.app, self.actors = dramatiq_shop.made(url, queue)

    def name(self, task):
        return task

    def send(
        self, task, *args, kwargs=None, delay_s=None, queue=None, expires_s=None, then=None,
        priority=None,
    ):  # fmt: skip
        message = Message(queue or self.queue, task, args, kwargs or {}, {})
        if expires_s is not None:
            before = message.message_timestamp + int(expires_s * 1000) - 1
            message = message.copy(message_timestamp=before, options={"max_age": 1})
        if then is not None:
            message.options["pipe_target"] = self.actors[then].message().asdict()
        if priority is not None:
            message.options["broker_priority"] = priority
        delay = None if delay_s is None else int(delay_s * 1000)
        return self.app.enqueue(message, delay=delay).message_id

    def hostile(self, queue):
        message = Message(queue, "ok", (Trap(str(self.folder / "loaded.jsonl")),), {}, {})
        body = PickleEncoder().encode(message.asdict())
        self.app.do_enqueue(queue, message.message_id, body)
        return message.message_id

    def declare(self, queue):
        if self.broker == "rabbitmq":
            self.app.declare_queue(queue, ensure=True)

    def quiet(self):
        """Wait until what was sent before has come through: runs on the worker's other queue."""
        sent = [self.send("ok", 1, queue=f"{self.queue}-barrier") for _ in range(self.slots + 1)]
        for task_id in sent:
            self.end(task_id)

    def clear(self):
        """Leave nothing of this rig on the broker."""
        if self.broker == "redis":
            client = self.app.client
            for key in list(client.scan_iter(f"*{self.queue}*", 1000)):
                client.delete(key)
            client.close()
        else:
            for end in QUEUES:
                for kind in ("", ".DQ", ".XQ"):
                    self.app.channel.queue_delete(f"{self.queue}{end}{kind}")
        self.engine.close()
        self.app.close()


class RigInside(Inside, Shop):
    def __init__(self, url, folder):
        Shop.__init__(self, url, f"z4j-a-{time.time_ns()}", "threads", folder)
        self.app.declare_queue(f"{self.queue}-barrier")
        self.borrow_environ(RIG_MARKS=str(folder))
        self.emit = Recorder()
        self.engine = DramatiqEngine(self.app)
        self.engine.attach(self.emit)
        self.worker = Worker(
            self.app, queues={self.queue, f"{self.queue}-barrier"}, worker_timeout=100,
            worker_threads=self.slots,
        )  # fmt: skip

    def start(self):
        self.app.emit_after("process_boot")
        self.worker.start()
        self.end(self.send("ok", 1))
        return self

    def stop(self):
        self.worker.stop(timeout=5000)
        self.engine.detach()
        self.clear()
        self.return_environ()

    def verb(self, verb, **params):
        """As the agent does, with the gate of a queue shut or opened afterwards."""
        done = super().verb(verb, **params)
        gates = {Capability.PAUSE: "close", Capability.RESUME: "open"}
        if verb in gates:
            getattr(self.emit.gate(params["queue"]), gates[verb])()
        return done
