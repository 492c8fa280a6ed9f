"""Whatever fails in z4j, tasks of Huey run and end as they would without it."""

import time

import pytest
from huey import MemoryHuey
from huey.exceptions import TaskException
from z4j_huey.places import adapt
from z4j_testing import work
from z4j_testing.engine.faults import TestFaults  # noqa: F401  (these are the tests)
from z4j_testing.faults import Grim

pytestmark = pytest.mark.filterwarnings("default")


class Host:
    """An instance in memory, and what its consumer's worker does in a loop."""

    def __init__(self):
        self.huey = MemoryHuey(f"faults{time.time_ns()}")
        self.engine = adapt(self.huey)
        self.tasks = {
            kind: self.huey.task(retries=int(kind == "again"))(getattr(work, kind))
            for kind in work.KINDS
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.detach()
        self.huey.flush()

    def act(self, word, count):
        sent = [
            self.huey.enqueue(self.tasks[kind].s(word, number, Grim()))
            for kind in work.KINDS
            for number in range(count)
        ]
        while (task := self.huey.dequeue()) is not None:
            self.huey.execute(task)
        return [self.end(result) for result in sent]

    def end(self, result):
        try:
            return str(result.get())
        except TaskException as error:
            return str(error.metadata["error"])


@pytest.fixture
def make_host():
    return Host
