import sys
import time
from pathlib import Path

import pytest
from z4j_testing import proof

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite(
    "z4j_testing.engine",
    "z4j_testing.outside",
    "dramatiq_inside",
    "dramatiq_outside",
    "dramatiq_stand",
)


def pytest_configure(config):
    if not config.pluginmanager.has_plugin("z4j-proof"):
        config.pluginmanager.register(proof, "z4j-proof")


@pytest.fixture
def stands(tmp_path, monkeypatch):
    """Make brokers with the tasks of the shop, observed."""
    from dramatiq.brokers.redis import RedisBroker
    from dramatiq_stand import Stand
    from z4j_testing.services import redis_url

    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    made = []

    def make(broker=None, **options):
        broker = broker or RedisBroker(url=redis_url(9), **options)
        made.append(Stand(broker, f"z4j-only-{time.time_ns()}", tmp_path))
        return made[-1]

    yield make
    for stand in made:
        stand.close()


@pytest.fixture
def stand(stands):
    """One of them."""
    return stands()
