"""The adapter out of process: a worker on the real broker, the real agent, a fake brain."""

import pytest
import taskiq_brokers
from taskiq_outside import RigOutside
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.proof import advertised

del TestContract  # noqa: F821  (proved in process: it has no worker)
pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip


def cell(name):
    slow = [] if name == "redis-list" else [pytest.mark.soak]
    return pytest.param(name, id=name, marks=slow)


@pytest.fixture(scope="module", params=[cell(name) for name in taskiq_brokers.KINDS])
def rig(request, tmp_path_factory):
    name = request.param
    outside = RigOutside(name, taskiq_brokers.url_of(name), tmp_path_factory.mktemp("marks"))
    try:
        outside.start()
        advertised("taskiq", name, *outside.offered())
        yield outside
    finally:
        outside.stop()
