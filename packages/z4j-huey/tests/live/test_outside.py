"""The adapter out of process: a consumer on a real storage, the real agent, a fake brain."""

import pytest
from huey_outside import RigOutside
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.proof import advertised
from z4j_testing.services import redis_url

del TestContract  # noqa: F821  (proved in process: it has no worker)
pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
CELLS = ("redis-thread", "redis-process", "redis-greenlet", "sqlite-thread", "file-thread")
FAST = ("redis-thread", "redis-process")


def cell(name):
    return pytest.param(name, id=name, marks=[] if name in FAST else [pytest.mark.soak])


@pytest.fixture(scope="module", params=[cell(name) for name in CELLS])
def rig(request, tmp_path_factory):
    broker, _, pool = request.param.partition("-")
    where = redis_url(8) if broker == "redis" else tmp_path_factory.mktemp("storage")
    outside = RigOutside(broker, pool, where, tmp_path_factory.mktemp("marks"))
    try:
        outside.start()
        advertised("huey", request.param, *outside.offered())
        yield outside
    finally:
        outside.stop()
