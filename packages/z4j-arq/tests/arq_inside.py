"""Rig A: the worker runs on an event loop in a thread of the test process, on a real Redis."""

import asyncio
import threading
import time

import arq.worker
import arq_shop
import z4j_arq
from arq import Worker
from arq.connections import ArqRedis
from arq.utils import timestamp_ms
from redis import Redis
from redis.asyncio import ConnectionPool
from z4j_arq import ArqEngine, seams
from z4j_testing.host import Host
from z4j_testing.inside import Inside
from z4j_testing.marks import Trap
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url
from z4j_testing.signals import WAIT_S, eventually

SHOP = "arq_shop.SETTINGS"
KEYS = ("arq:job:", "arq:result:", "arq:retry:", "arq:in-progress:")
LACKS = {
    "expires": "broker", "priority": "broker", "chain": "broker", "received": "broker",
    "ignore": "broker", "reject": "broker", "crash": "pool",
    "marks": "broker", "guard": "broker", "headers": "broker",
}  # fmt: skip
arq_shop.SETTINGS = {"functions": arq_shop.FUNCTIONS}


def pool_of(url, queue="arq:queue", **options):
    return ArqRedis(ConnectionPool.from_url(url), default_queue_name=queue, **options)


class ArqBench:
    package = "z4j_arq"
    module = "arq"

    def __init__(self):
        self.dbs = [10, 11]
        self.urls = {}
        self.pools = []

    def engine(self):
        url = redis_url(self.dbs.pop())
        engine = ArqEngine(Redis.from_url(url))
        self.urls[engine] = url
        self.pools.append(pool_of(url))
        globals()[f"bench_{len(self.dbs)}"] = self.pools[-1]  # found among the names of a module
        return engine

    def produce(self, engine):
        async def send():
            pool = pool_of(self.urls[engine], f"z4j-bench-{time.time_ns()}")
            job = await pool.enqueue_job("ok", 1, _expires=60)
            await pool.delete(pool.default_queue_name)
            await pool.close(close_connection_pool=True)
            return job.job_id

        return asyncio.run(send())

    def hook_lists(self):
        return dict(seams._listeners), [
            vars(holder)[name]
            for holder, names in (
                (ArqRedis, ("enqueue_job",)),
                (Worker, ("_poll_iteration", "start_jobs", "finish_job", "finish_failed_job",
                          "close")),
                (arq.worker, ("deserialize_job_raw", "serialize_result")),
            )
            for name in names
        ]  # fmt: skip

    def detected(self, engine):
        found = []
        z4j_arq.detect(None, found.append)
        return found

    def close(self):
        for engine in self.urls:
            engine.client.close()


class Shop(Host):
    """What both rigs share: sending as the host does, marks and releases."""

    lacks = LACKS
    children = "none"
    broker = "redis"
    pool = "asyncio"

    def __init__(self, url, queue, folder):
        super().__init__(folder)
        self.url, self.queue = url, queue
        self.connection = Redis.from_url(url)
        self.runner = asyncio.Runner()
        self.redis = None
        self._sent_ms = 0

    def name(self, task):
        return task

    def run(self, make):
        """What a coroutine of the producer gives, on its own loop; `make` gets the pool."""

        async def made():
            if self.redis is None:
                self.redis = pool_of(self.url, self.queue)
            return await make(self.redis)

        return self.runner.run(made())

    def send(self, task, *args, kwargs=None, delay_s=None, queue=None, **options):
        while timestamp_ms() == self._sent_ms:
            pass  # arq orders jobs of the same millisecond by their random ids
        options |= {"_queue_name": queue, "_defer_by": delay_s}
        job = self.run(lambda redis: redis.enqueue_job(task, *args, **options, **(kwargs or {})))
        self._sent_ms = timestamp_ms()
        return None if job is None else job.job_id

    def native(self):
        """As arq's own cron sends a job: the moment is in its id."""
        made = f"cron:nightly:{timestamp_ms()}"
        return self.send("ok", 1, _job_id=made), "cron:nightly"

    def hostile(self, queue):
        return self.send("ok", Trap(str(self.folder / "loaded.jsonl")), queue=queue)

    def quiet(self):
        """Wait until the worker has looked for jobs, from beginning to end, and said so.

        Each look ends with a key of arq's own. What it had to say by then has come through once
        a run on the other queue of the same process has.
        """
        key = f"{self.queue}:health-check"
        for _ in range(2):
            self.connection.delete(key)
            eventually(lambda: self.connection.exists(key), "a worker that looks for jobs")
        super().quiet()

    def clear(self):
        """Take all that this rig has put there out of its database."""
        for prefix in KEYS:
            for key in list(self.connection.scan_iter(f"{prefix}*", 1000)):
                self.connection.delete(key)
        self.connection.delete(*self.connection.scan_iter(f"{self.queue}*", 1000), "none")
        self.connection.close()
        self.engine.client.close()
        if self.redis is not None:
            self.runner.run(self.redis.close(close_connection_pool=True))
        self.runner.close()


class RigInside(Inside, Shop):
    def __init__(self, url, folder):
        Shop.__init__(self, url, f"z4j-a-{time.time_ns()}", folder)
        self.emit = Recorder()
        self.engine = ArqEngine(Redis.from_url(url), tasks=[SHOP])
        self.engine.attach(self.emit)
        self.borrow_environ(RIG_MARKS=str(folder))
        self._loop = self._stopping = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self):
        self._thread.start()
        self.emit.changes.until(lambda: len(self.emit.up) > 1 or None, "the workers")
        return self

    def stop(self):
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        self.engine.detach()
        self.clear()
        self.return_environ()

    def _work(self):
        asyncio.run(self._both())

    async def _both(self):
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        workers = [
            Worker(**arq_shop.options(queue, self.url, 1, handle_signals=False))
            for queue in (self.queue, f"{self.queue}-barrier")
        ]
        running = [asyncio.create_task(worker.async_run()) for worker in workers]
        await self._stopping.wait()
        for worker in workers:
            await arq_shop.stop(worker)
        await asyncio.gather(*running, return_exceptions=True)

    def worker_now(self):
        return next(each for each in self.engine.workers() if self.queue in each.queues)
