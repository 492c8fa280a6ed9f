"""The adapter out of process: a worker on the real broker, the real agent, a fake brain."""

import pytest
from arq_outside import RigOutside
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.proof import advertised
from z4j_testing.services import redis_url

del TestContract  # noqa: F821  (proved in process: it has no worker)
pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip


@pytest.fixture(scope="module", params=[pytest.param("asyncio", id="redis")])
def rig(request, tmp_path_factory):
    outside = RigOutside(redis_url(8), tmp_path_factory.mktemp("marks"))
    try:
        outside.start()
        advertised("arq", "redis", *outside.offered())
        yield outside
    finally:
        outside.stop()
