"""Rig A: the worker runs in a thread of the test process, on a real Redis."""

import gc
import threading
import time
from datetime import UTC, datetime, timedelta

import celery_shop
import z4j_celery
from celery import Celery, chain, signals
from celery.beat import ScheduleEntry, Scheduler
from celery.worker import state
from kombu.asynchronous import set_event_loop
from z4j_celery import CeleryEngine
from z4j_testing.host import Host
from z4j_testing.inside import Inside
from z4j_testing.marks import Trap
from z4j_testing.recorder import Recorder
from z4j_testing.signals import WAIT_S

ENDS = ("", "-barrier", "-parked", "-other")


class CeleryBench:
    package = "z4j_celery"
    module = "celery"
    made = 0

    def engine(self):
        CeleryBench.made += 1
        app = Celery(
            f"bench{self.made}", broker=f"memory://bench{self.made}/", set_as_current=False
        )
        return CeleryEngine(app)

    def produce(self, engine):
        return engine.celery.send_task("bench.ok", (1,)).id

    def hook_lists(self):
        found = {}
        for name in signals.__all__:
            found[name] = tuple(getattr(signals, name).receivers or ())
        return found

    def detected(self, engine):
        _ = engine.celery.conf.broker_url
        found = []
        z4j_celery.detect(None, found.append)
        return found


class Shop(Host):
    """What both rigs share: sending as the host does, marks and releases."""

    def __init__(self, app, queue, broker, pool, slots, folder):
        super().__init__(folder)
        self.app, self.queue, self.broker, self.pool, self.slots = app, queue, broker, pool, slots
        self.children = "kept" if pool == "prefork" else "none"
        self.lacks = {} if pool == "prefork" else {"hard limit": "pool", "crash": "pool"}

    def name(self, task):
        return f"shop.{task}"

    def send(self, task, *args, kwargs=None, then=None, delay_s=None, expires_s=None, **options):
        now = datetime.now(UTC)
        if delay_s is not None:
            options["eta"] = now + timedelta(seconds=delay_s)
        if expires_s is not None:
            options["expires"] = now + timedelta(seconds=expires_s)
        if then is not None:
            steps = chain(
                self.app.signature(self.name(task), args), self.app.signature(self.name(then))
            )
            return steps.apply_async(**options).parent.id
        return self.app.send_task(self.name(task), args, kwargs or {}, **options).id

    def native(self):
        """As `celery beat` sends an entry."""
        entry = ScheduleEntry("nightly", self.name("ok"), schedule=3600, args=(1,),
                              options={"queue": self.queue}, app=self.app)  # fmt: skip
        return Scheduler(self.app, lazy=True).apply_async(entry, advance=False).id, "nightly"

    def hostile(self, queue):
        trap = Trap(str(self.folder / "loaded.jsonl"))
        return self.send("ok", trap, queue=queue, serializer="pickle")

    def declare(self, queue):
        with self.app.connection_for_write() as connection:
            self.app.amqp.queues[queue](connection.default_channel).declare()


class RigInside(Inside, Shop):
    def __init__(self, url, backend, pool, folder):
        slots = 1 if pool == "solo" else 2
        queue = f"z4j-a-{pool}-{time.time_ns()}"
        app = celery_shop.make_app(url, backend, queue, folder)
        Shop.__init__(self, app, queue, url.partition(":")[0], pool, slots, folder)
        self.hostname = f"a-{queue}@rig"
        self.emit = Recorder()
        self.engine = CeleryEngine(app)
        self.engine.attach(self.emit)
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self):
        state.reset_state()
        state.should_stop = None
        set_event_loop(None)  # the oldest take that of the worker before, whose timer has stopped
        self._thread.start()
        self.emit.changes.until(lambda: self.emit.up or None, "the worker")
        return self

    def stop(self):
        state.should_stop = 0
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        state.should_stop = None
        for end in ENDS:
            self.engine.purge(f"{self.queue}{end}")
        self.engine.detach()
        self.app.close()
        gc.collect()  # what the pool's threads left open goes while it is this module's affair

    def _work(self):
        self.app.Worker(
            pool=self.pool, concurrency=self.slots, quiet=True, loglevel="CRITICAL",
            queues=[self.queue, f"{self.queue}-barrier"], hostname=self.hostname,
            without_mingle=True, without_gossip=True, without_heartbeat=True,
        ).start()  # fmt: skip
