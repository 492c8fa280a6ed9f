"""The lease store of this engine's own Redis keeps the promises of lease stores."""

import pytest
from redis import Redis
from z4j_rq import RQEngine
from z4j_testing.engine.leases import *  # noqa: F403  (the groups are the tests)
from z4j_testing.engine.leases import lease_bench
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def bench():
    engine = RQEngine(Redis.from_url(redis_url(7)))
    with lease_bench(engine, Redis.from_url(redis_url(7))) as made:
        yield made
    engine.client.close()
