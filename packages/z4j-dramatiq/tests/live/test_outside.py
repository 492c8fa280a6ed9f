"""The adapter out of process: a worker on the real broker, the real agent, a fake brain."""

import pytest
from dramatiq_outside import RigOutside, broker_url
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.proof import advertised

del TestContract  # noqa: F821  (proved in process: it has no worker)
pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
CELLS = [("redis", "threads"), ("rabbitmq", "threads"), ("redis", "gevent")]


def cell(broker, pool):
    slow = [] if (broker, pool) == ("redis", "threads") else [pytest.mark.soak]
    return pytest.param((broker, pool), id=f"{broker}-{pool}", marks=slow)


@pytest.fixture(scope="module", params=[cell(*each) for each in CELLS])
def rig(request, tmp_path_factory):
    broker, pool = request.param
    url = broker_url(broker)
    outside = RigOutside(url, pool, tmp_path_factory.mktemp("marks"))
    try:
        outside.start()
        advertised("dramatiq", f"{broker}-{pool}", *outside.offered())
        yield outside
    finally:
        outside.stop()
