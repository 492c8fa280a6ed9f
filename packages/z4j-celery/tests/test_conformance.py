"""The adapter in process: the suite on a real Redis, with the pools that live in one process."""

import pytest
from rig_inside import CeleryBench, RigInside
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.services import redis_url

# The worker warns of running as root and of its own future.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def bench():
    return CeleryBench()


@pytest.fixture(scope="module", params=["solo", "threads"])
def rig(request, tmp_path_factory):
    inside = RigInside(redis_url(3), redis_url(4), request.param, tmp_path_factory.mktemp("marks"))
    yield inside.start()
    inside.stop()
