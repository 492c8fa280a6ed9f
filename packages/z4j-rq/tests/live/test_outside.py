"""The adapter out of process: a worker on the real broker, the real agent, a fake brain."""

import pytest
import rq.worker
from rq_outside import RigOutside
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.proof import advertised
from z4j_testing.services import redis_url

del TestContract  # noqa: F821  (proved in process: it has no worker)
pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip


def cell(pool):
    slow = [] if pool == "fork" else [pytest.mark.soak]
    return pytest.param(pool, id=f"redis-{pool}", marks=slow)


@pytest.fixture(scope="module", params=[cell(pool) for pool in ("fork", "simple", "spawn")])
def rig(request, tmp_path_factory):
    if request.param == "spawn" and not hasattr(rq.worker, "SpawnWorker"):
        pytest.skip("spawn: version")
    outside = RigOutside(redis_url(8), request.param, tmp_path_factory.mktemp("marks"))
    try:
        outside.start()
        advertised("rq", f"redis-{request.param}", *outside.offered())
        yield outside
    finally:
        outside.stop()
