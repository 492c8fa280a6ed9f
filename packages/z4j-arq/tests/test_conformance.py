"""The adapter in process: the suite on a real Redis, with a worker on a loop of its own."""

import pytest
from arq_inside import ArqBench, RigInside
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def bench():
    made = ArqBench()
    yield made
    made.close()


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    inside = RigInside(redis_url(7), tmp_path_factory.mktemp("marks"))
    try:
        yield inside.start()
    finally:
        inside.stop()
