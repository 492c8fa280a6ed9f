import sys
import time
from pathlib import Path

import pytest
from z4j_testing import proof

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite(
    "z4j_testing.engine", "z4j_testing.outside", "taskiq_inside", "taskiq_outside", "taskiq_parking"
)


def pytest_configure(config):
    if not config.pluginmanager.has_plugin("z4j-proof"):
        config.pluginmanager.register(proof, "z4j-proof")


@pytest.fixture
def parking():
    """A broker without a server, its engine, and what the engine says."""
    import taskiq_brokers
    from z4j_taskiq import TaskiqEngine
    from z4j_testing.recorder import Recorder

    broker = taskiq_brokers.Parking(f"parking://{time.time_ns()}")
    engine, emit = TaskiqEngine(broker), Recorder()
    engine.attach(emit)
    yield broker, engine, emit
    engine.detach()
    assert emit.hook_errors == []
