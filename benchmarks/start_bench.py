"""How long a brain with an empty directory takes until it serves.

`measure(quick)` gives brain_start_s: from the command until it says that it serves, SQLite made
and migrated on the way. The first start compiles what it imports and is not counted.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.stack import start_brain


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """The median of several starts, each with a directory of its own."""
    _start_s()
    took = [_start_s() for _ in range(2 if quick else 7)]
    return [
        {
            "name": "brain_start_s", "value": round(statistics.median(took), 2), "unit": "s",
            "runs": len(took), "spread": round(max(took) - min(took), 2),
        }
    ]  # fmt: skip


def _start_s() -> float:
    home = Path(tempfile.mkdtemp(prefix="z4j-bench-"))
    family = Family(home)
    try:
        began = time.perf_counter()
        start_brain(family, home, free_port())
        return time.perf_counter() - began
    finally:
        family.end()
        shutil.rmtree(home, ignore_errors=True)
