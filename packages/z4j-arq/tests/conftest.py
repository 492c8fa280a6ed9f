import sys
from pathlib import Path

import pytest
from z4j_testing import proof

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite(
    "z4j_testing.engine", "z4j_testing.outside", "arq_inside", "arq_outside", "arq_bench"
)


def pytest_configure(config):
    if not config.pluginmanager.has_plugin("z4j-proof"):
        config.pluginmanager.register(proof, "z4j-proof")


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """An engine that is attached, and the host's side of arq."""
    from arq_bench import Bench

    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    made = Bench(tmp_path)
    yield made
    made.close()
