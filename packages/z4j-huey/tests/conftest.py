import sys
import time
from pathlib import Path

import pytest
from z4j_testing import proof

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite(
    "z4j_testing.engine", "z4j_testing.outside", "huey_inside", "huey_outside", "huey_bench"
)


def pytest_configure(config):
    if not config.pluginmanager.has_plugin("z4j-proof"):
        config.pluginmanager.register(proof, "z4j-proof")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """An instance in memory, its engine and what it told."""
    from huey import MemoryHuey
    from huey_bench import Bench

    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    made = Bench(MemoryHuey(f"quirks{time.time_ns()}"))
    yield made
    made.engine.detach()
    assert made.emit.hook_errors == []
