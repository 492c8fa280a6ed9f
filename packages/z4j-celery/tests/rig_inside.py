"""Rig A: the worker runs in a thread of the test process, on a real Redis."""

import gc
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import celery_shop
import z4j_celery
from celery import Celery, chain, signals
from celery.beat import ScheduleEntry, Scheduler
from celery.worker import state
from kombu.asynchronous import set_event_loop
from z4j_celery import CeleryEngine
from z4j_core import EventKind
from z4j_testing.engine import Seen
from z4j_testing.inside import Inside
from z4j_testing.recorder import Recorder
from z4j_testing.signals import WAIT_S, eventually


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


def shown(event):
    """A TaskEvent as plain data."""
    error = event.error
    return Seen(
        event.kind, event.task_id, event.attempt, event.task, event.queue, event.worker,
        None if event.args is None else json.loads(json.dumps(event.args)),
        None if event.kwargs is None else json.loads(json.dumps(event.kwargs)),
        event.result,
        getattr(error, "type", type(error).__name__) if error is not None else None,
        getattr(error, "message", str(error)) if error is not None else None,
        getattr(error, "traceback", None), event.runtime_s, event.due_at, event.priority,
        event.parent_id, event.retry_of, event.pid, event.detail,
        event.schedule, (event.fire or "").partition(":")[0] or None,
    )  # fmt: skip


class Trap:
    """Runs code where it is unpickled."""

    def __init__(self, code):
        self.code = code

    def __reduce__(self):
        return (exec, (self.code,))


class Shop:
    """What both rigs share: sending as the host does, marks and releases."""

    def __init__(self, app, queue, broker, pool, slots, folder):
        self.app, self.queue, self.broker, self.pool = app, queue, broker, pool
        self.slots, self.folder = slots, Path(folder)
        self._tokens = 0
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

    def options_for(self, task):
        return {}

    def native(self):
        """As `celery beat` sends an entry."""
        entry = ScheduleEntry("nightly", self.name("ok"), schedule=3600, args=(1,),
                              options={"queue": self.queue}, app=self.app)  # fmt: skip
        return Scheduler(self.app, lazy=True).apply_async(entry, advance=False).id, "nightly"

    def hostile(self, queue):
        trap = Trap(f"open({str(self.folder / 'loaded.jsonl')!r}, 'a').write('1\\n')")
        return self.send("ok", trap, queue=queue, serializer="pickle")

    def declare(self, queue):
        with self.app.connection_for_write() as connection:
            self.app.amqp.queues[queue](connection.default_channel).declare()

    def release(self, token):
        (self.folder / f"release-{token}").touch()

    def marks(self, token, *, at_least=0):
        file = self.folder / f"{token}.jsonl"

        def read():
            lines = file.read_text().splitlines() if file.exists() else []
            return lines if len(lines) >= at_least else None

        lines = read() if not at_least else eventually(read, f"{at_least} marks of {token}")
        return [json.loads(line) for line in lines or ()]

    def occupy(self):
        self._tokens += 1
        tokens = [f"busy-{self._tokens}-{slot}" for slot in range(self.slots)]
        ids = [self.send("slow", token) for token in tokens]
        for task_id in ids:
            self.wait(task_id, EventKind.STARTED)
        return tokens, ids

    def vacate(self, occupied):
        tokens, ids = occupied
        for token in tokens:
            self.release(token)
        for task_id in ids:
            self.end(task_id)

    def quiet(self):
        """Wait until what was sent before has come through: a run on the worker's other queue."""
        self.end(self.send("ok", 1, queue=f"{self.queue}-barrier"))


class RigInside(Inside, Shop):
    def __init__(self, url, backend, pool, folder):
        slots = 1 if pool == "solo" else 2
        queue = f"z4j-a-{pool}-{time.time_ns()}"
        app = celery_shop.make_app(url, backend, queue, folder)
        Shop.__init__(self, app, queue, url.partition(":")[0], pool, slots, folder)
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
        for queue in (
            self.queue,
            f"{self.queue}-barrier",
            f"{self.queue}-parked",
            f"{self.queue}-other",
        ):
            self.engine.purge(queue)
        self.engine.detach()
        self.app.close()
        gc.collect()  # what the pool's threads left open goes while it is this module's affair

    def _work(self):
        self.app.Worker(
            pool=self.pool, concurrency=self.slots, quiet=True, loglevel="CRITICAL",
            queues=[self.queue, f"{self.queue}-barrier"], hostname=f"a-{self.pool}@rig",
            without_mingle=True, without_gossip=True, without_heartbeat=True,
        ).start()  # fmt: skip

    def of(self, task_id):
        return [shown(event) for event in self.emit.of(task_id)]

    def wait(self, task_id, kind, *, attempt=None, timeout_s=WAIT_S):
        return shown(self.emit.wait(task_id, kind, attempt=attempt, timeout_s=timeout_s))

    def end(self, task_id, *, timeout_s=WAIT_S):
        return shown(self.emit.end(task_id, timeout_s=timeout_s))
