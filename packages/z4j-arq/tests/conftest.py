import sys
from pathlib import Path

import pytest
from z4j_testing import proof

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite(
    "z4j_testing.engine", "z4j_testing.outside", "arq_inside", "arq_outside"
)


def pytest_configure(config):
    if not config.pluginmanager.has_plugin("z4j-proof"):
        config.pluginmanager.register(proof, "z4j-proof")
