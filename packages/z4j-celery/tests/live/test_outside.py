"""The adapter out of process: a worker on the real broker, the real agent, a fake brain."""

import pytest
from rig_outside import RigOutside
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.proof import advertised
from z4j_testing.services import amqp_url, redis_url

del TestContract  # noqa: F821  (proved in process: it has no worker)
pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]
FAST = [("redis", "prefork"), ("rabbitmq", "threads")]  # each broker, and both kinds of pools
CELLS = [(b, p) for b in ("redis", "rabbitmq") for p in ("prefork", "threads", "solo", "gevent")]


def cell(broker, pool):
    slow = [] if (broker, pool) in FAST else [pytest.mark.soak]
    return pytest.param((broker, pool), id=f"{broker}-{pool}", marks=slow)


@pytest.fixture(scope="module", params=[cell(*each) for each in CELLS])
def rig(request, tmp_path_factory):
    broker, pool = request.param
    url = redis_url(3) if broker == "redis" else amqp_url()
    conf = {"worker_pool_restarts": True}
    outside = RigOutside(url, redis_url(4), pool, tmp_path_factory.mktemp("marks"), conf=conf)
    outside.start()
    advertised("celery", f"{broker}-{pool}", *outside.offered())
    yield outside
    outside.stop()
