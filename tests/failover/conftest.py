"""Makes the rig importable for the tests beside it, and what the chaos tests share with them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "chaos")]
pytest.register_assert_rewrite("failover_group", "failover_books", "failover_place")


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)
