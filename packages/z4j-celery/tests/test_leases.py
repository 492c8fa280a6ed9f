"""The lease store of this engine's own Redis keeps the promises of lease stores."""

import pytest
from celery import Celery
from redis import Redis
from z4j_celery import CeleryEngine
from z4j_testing.engine.leases import *  # noqa: F403  (the groups are the tests)
from z4j_testing.engine.leases import lease_bench
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
PLACES = {"broker": (redis_url(7), None), "backend": ("memory://", redis_url(7))}


@pytest.fixture(params=["broker", pytest.param("backend", marks=pytest.mark.soak)])
def bench(request):
    broker, backend = PLACES[request.param]
    app = Celery("leases", broker=broker, backend=backend, set_as_current=False)
    with lease_bench(CeleryEngine(app), Redis.from_url(redis_url(7))) as made:
        yield made


def test_without_redis_there_is_none():
    app = Celery("none", broker="memory://", set_as_current=False)

    assert CeleryEngine(app).lease_store("a/b/c", float) is None
