"""The adapter in process: the suite every adapter passes."""

import pytest
from toy_inside import RigInside, ToyBench
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.services import redis_url


@pytest.fixture
def bench():
    made = ToyBench()
    yield made
    made.close()


@pytest.fixture(scope="module")
def rig():
    inside = RigInside(redis_url(8))
    yield inside.start()
    inside.stop()
