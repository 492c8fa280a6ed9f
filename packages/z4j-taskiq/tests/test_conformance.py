"""The adapter in process: the suite on lists of a real Redis, with a receiver in a thread."""

import pytest
from taskiq_inside import RigInside, TaskiqBench
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def bench():
    made = TaskiqBench()
    yield made
    made.close()


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    inside = RigInside("redis-list", redis_url(7), tmp_path_factory.mktemp("marks"))
    try:
        yield inside.start()
    finally:
        inside.stop()
