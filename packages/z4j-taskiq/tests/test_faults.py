"""Whatever fails in z4j, tasks of taskiq run and end as they would without it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from taskiq import AsyncBroker, SimpleRetryMiddleware
from taskiq.brokers.inmemory_broker import InmemoryResultBackend
from taskiq.receiver import Receiver
from taskiq_inside import Loop
from z4j_taskiq import TaskiqEngine
from z4j_testing import work
from z4j_testing.engine.faults import TestFaults  # noqa: F401  (these are the tests)

pytestmark = pytest.mark.filterwarnings("default")
WAIT_S = 60


class Line(AsyncBroker):
    """A broker in memory: what is sent waits in line."""

    def __init__(self):
        super().__init__()
        self.waiting = asyncio.Queue()

    async def kick(self, message):
        await self.waiting.put(message.message)

    async def listen(self):
        while True:
            yield await self.waiting.get()


class Host:
    """Producer and worker on one event loop."""

    def __init__(self):
        self.loop = Loop()
        self.broker = self.loop.run(self._made())
        self.engine = TaskiqEngine(self.broker)
        self.finish = self.working = None

    async def _made(self):
        broker = Line().with_result_backend(InmemoryResultBackend(max_stored_results=1000))
        broker.with_middlewares(SimpleRetryMiddleware())
        self.tasks = {kind: self._task(broker, kind) for kind in work.KINDS}
        broker.is_worker_process = True
        return broker

    def _task(self, broker, kind):
        function = getattr(work, kind)

        async def task(word: str, number: int):
            return function(word, number)

        labels = {"retry_on_error": True, "max_retries": 3} if kind == "again" else {}
        return broker.register_task(task, task_name=f"faults:{kind}", **labels)

    def __enter__(self):
        self.working = self.loop.start(self._work())
        return self

    async def _work(self):
        self.finish = asyncio.Event()
        with ThreadPoolExecutor(2) as executor:
            await Receiver(self.broker, executor, max_async_tasks=2).listen(self.finish)
        await self.broker.shutdown()

    def __exit__(self, *_):
        self.loop.loop.call_soon_threadsafe(self.finish.set)
        self.working.result(WAIT_S)
        self.loop.close()
        self.engine.detach()

    def act(self, word, count):
        return self.loop.run(self._act(word, count), WAIT_S)

    async def _act(self, word, count):
        sent = [
            await self.tasks[kind].kiq(word, number)
            for kind in work.KINDS
            for number in range(count)
        ]
        ends = [await each.wait_result(check_interval=0.002, timeout=WAIT_S) for each in sent]
        return [f"{end.is_err} {end.return_value} {end.error!r}" for end in ends]


@pytest.fixture
def make_host():
    return Host
