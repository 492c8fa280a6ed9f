"""Other schedulers beside the leader: loading, a look when nothing is due, fires, an edit.

Each runs by itself, on CPU time; rq-scheduler in an environment that `uv` makes and throws away:
its module `crontab` and that of python-crontab are two. `peer.<name>.<what>` have no budgets.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
OURS = {"z4j_celery": ("celery_beat", "apscheduler3"), "z4j_rq": ("rq_scheduler", "rq_cron")}
"""Who is compared with whom: with those that enqueue into the same engine."""
APART = {"rq_scheduler": ("rq-scheduler==0.14.0", "rq<2.4")}
UNITS = {"load_s": "s", "look_ms": "ms", "fires_per_s": "fires/s", "edit_ms": "ms"}
SCHEDULES = 10_000


def measured(name: str, count: int) -> dict[str, float]:
    """Figures of one scheduler, from a process of its own."""
    command = [sys.executable]
    if name in APART:
        uv = shutil.which("uv", path=f"{HERE.parent}/.tools/bin:{os.environ.get('PATH', '')}")
        wanted = [part for each in APART[name] for part in ("--with", each)]
        command = [uv or "uv", "run", "-q", "--no-project", "--python", sys.executable, *wanted]
        command.append("python")
    done = subprocess.run(
        [*command, "peers.py", name, str(count)],
        cwd=HERE, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def ratio(what: str, theirs: float, ours: float) -> float:
    """How many times better ours is."""
    return ours / theirs if what == "fires_per_s" else theirs / ours


def table(found: dict[str, dict[str, float]], count: int) -> str:
    """Figures of all, and beside those of peers how many times better ours are."""
    lines = [f"{count:,} schedules, CPU".ljust(24) + "".join(what.rjust(22) for what in UNITS)]
    for ours, peers in OURS.items():
        for name in (ours, *peers):
            cells = [f"{found[name][what]:,.2f}" for what in UNITS]
            if name != ours:
                ratios = [ratio(what, found[name][what], found[ours][what]) for what in UNITS]
                cells = [f"{cell} ({x:,.1f}x)" for cell, x in zip(cells, ratios, strict=True)]
            lines.append(name.ljust(24) + "".join(cell.rjust(22) for cell in cells))
    return "\n".join(lines)


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """Figures of all of them."""
    count = SCHEDULES // 10 if quick else SCHEDULES
    names = [name for ours, peers in OURS.items() for name in (ours, *peers)]
    found = {name: measured(name, count) for name in names}
    print(table(found, count), flush=True)
    return [
        {"name": f"peer.{name}.{what}", "value": round(found[name][what], 3), "unit": unit}
        for name in names
        for what, unit in UNITS.items()
    ]


if __name__ == "__main__":
    measure("--quick" in sys.argv)
