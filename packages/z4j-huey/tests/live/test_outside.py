"""The adapter out of process: a consumer on a real storage, the real agent, a fake brain."""

import pytest
from huey_outside import RigOutside
from z4j_core import Capability, EventKind
from z4j_testing import engine
from z4j_testing.engine import *  # noqa: F403  (the groups are the tests)
from z4j_testing.engine import proves
from z4j_testing.proof import advertised
from z4j_testing.services import redis_url

del TestContract  # noqa: F821  (proved in process: it has no worker)
pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
CELLS = ("redis-thread", "redis-process", "redis-greenlet", "sqlite-thread", "file-thread")
FAST = "redis-process"  # of threads the same is proved in process


def cell(name):
    return pytest.param(name, id=name, marks=[] if name == FAST else [pytest.mark.soak])


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


class TestWorkers(engine.TestWorkers):
    """A consumer of threads or greenlets has no children: the same process begins anew."""

    @proves(Capability.RESTART)
    def test_restart_comes_back(self, rig):
        if rig.children != "none":
            super().test_restart_comes_back(rig)
            return
        before, token = rig.worker_now(), f"{rig.queue}-restart"
        running, seen = rig.send("slow", token), len(rig.states(1))
        rig.wait(running, EventKind.STARTED)

        rig.verb(Capability.RESTART, worker_id=before.id)

        rig.release(token)
        assert rig.end(running).kind is EventKind.SUCCEEDED
        rig.until(lambda: len(rig.states(1)) > seen, "the worker, up again", 30)
        assert rig.end(rig.send("ok", 1)).worker == before.id
        assert rig.worker_now().slots == 1
