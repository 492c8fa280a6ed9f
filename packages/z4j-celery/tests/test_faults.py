"""Whatever fails in z4j, tasks of Celery run and end as they would without it."""

import gc
import threading
import time

import pytest
from celery import Celery
from celery.worker import state
from z4j_celery import CeleryEngine
from z4j_testing import work
from z4j_testing.engine.faults import TestFaults  # noqa: F401  (these are the tests)

pytestmark = pytest.mark.filterwarnings("default")
WAIT_S = 60


class Host:
    """An app on a broker in memory, and a worker that runs its tasks in one thread."""

    def __init__(self):
        name = f"faults{time.time_ns()}"
        self.app = Celery(name, broker=f"memory://{name}/", backend="cache+memory://",
                          set_as_current=False)  # fmt: skip
        self.app.conf.update(
            task_default_queue=name, worker_hijack_root_logger=False,
            worker_redirect_stdouts=False, broker_transport_options={"polling_interval": 0.001},
        )  # fmt: skip
        self.tasks = {kind: self._task(kind) for kind in work.KINDS}
        self.app.finalize(auto=True)  # or the worker's thread meets a task that is half bound
        self.engine = CeleryEngine(self.app)
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _task(self, kind):
        options = {"autoretry_for": (KeyError,), "default_retry_delay": 0, "max_retries": 1}
        more = options | {"retry_backoff": False} if kind == "again" else {}
        return self.app.task(shared=False, name=f"faults.{kind}", **more)(getattr(work, kind))

    def __enter__(self):
        state.reset_state()
        state.should_stop = None
        self.thread.start()
        return self

    def _work(self):
        self.app.Worker(
            pool="solo", quiet=True, loglevel="CRITICAL", hostname="faults@here",
            without_mingle=True, without_gossip=True, without_heartbeat=True,
        ).start()  # fmt: skip

    def __exit__(self, *_):
        state.should_stop = 0
        self.thread.join(WAIT_S)
        state.should_stop = None
        assert not self.thread.is_alive()
        self.engine.detach()
        self.app.close()
        gc.collect()

    def act(self, word, count):
        sent = [
            self.tasks[kind].delay(word, number) for kind in work.KINDS for number in range(count)
        ]
        ends = [
            each.get(WAIT_S, propagate=False, interval=0.002, disable_sync_subtasks=False)
            for each in sent
        ]
        return [f"{each.state} {end!r}" for each, end in zip(sent, ends, strict=True)]


@pytest.fixture
def make_host():
    return Host
