"""Measure one area, write benchmarks/results/<area>.json, print a table. Exit 1: over budget.

Each module of an area runs in a fresh interpreter and offers `measure(quick) -> list of figures`,
a figure being a dict of name, value, unit and, where several runs were taken, runs and spread.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import platform
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from budgets import AREAS, BUDGETS  # noqa: E402  the directory is put on the path above

Figure = dict[str, Any]


def measured(module: str, quick: bool) -> list[Figure]:
    """Run one module here. Called in a fresh interpreter.

    Raises:
        RuntimeError: why there are no figures, as text: not every error can be sent to the parent.
    """
    try:
        return list(importlib.import_module(module).measure(quick=quick))
    except Exception as error:  # noqa: BLE001 - a module may fail in any way
        raise RuntimeError("".join(traceback.format_exception(error))) from None


def in_fresh_interpreter(module: str, quick: bool) -> list[Figure]:
    """Run one module where nothing else has been imported, allocated or started."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as one:
        return one.submit(measured, module, quick).result()


def figures_of(area: str, quick: bool) -> list[Figure]:
    """All figures of an area, with their budgets; a quick run is not judged."""
    found: list[Figure] = []
    for module in AREAS[area]:
        print(f"… {module}", file=sys.stderr, flush=True)
        found += in_fresh_interpreter(module, quick)
    return [_entry(area, figure, quick) for figure in found]


def _entry(area: str, figure: Figure, quick: bool) -> Figure:
    budget = None if quick else BUDGETS[area].get(figure["name"])
    return {
        "name": figure["name"],
        "value": figure["value"],
        "unit": figure["unit"],
        "budget": None if budget is None else budget.number,
        "runs": figure.get("runs", 1),
        "spread": figure.get("spread"),
    }


def verdict(area: str, figure: Figure) -> str:
    """`ok`, `OVER` or `-` where nothing is judged."""
    if figure["budget"] is None:
        return "-"
    budget = BUDGETS[area][figure["name"]]
    assert budget is not None
    return "ok" if budget.holds(figure["value"]) else "OVER"


def table(area: str, figures: list[Figure]) -> str:
    """The figures for people."""
    rows = [("figure", "value", "unit", "budget", "runs", "spread", "")]
    for figure in figures:
        spread = "" if figure["spread"] is None else f"{figure['spread']:,.4g}"
        value = f"{figure['value']:,.4g}" if figure["value"] < 1000 else f"{figure['value']:,.0f}"
        budget = "" if figure["budget"] is None else str(BUDGETS[area][figure["name"]])
        told = (figure["unit"], budget, str(figure["runs"]), spread)
        rows.append((figure["name"], value, *told, verdict(area, figure)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def main() -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("area", choices=sorted(AREAS))
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing is judged")
    options = parser.parse_args()
    load = round(os.getloadavg()[0], 2)
    figures = figures_of(options.area, options.quick)
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "load": load}
    result = {"area": options.area, "machine": machine, "figures": figures}
    target = HERE / "results" / f"{options.area}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(table(options.area, figures))
    print(f"{machine['cpus']} cpus, python {machine['python']}, load {load} at the start")
    missing = sorted(BUDGETS[options.area].keys() - {figure["name"] for figure in figures})
    if missing:
        print(f"not measured: {', '.join(missing)}")
    over = [figure["name"] for figure in figures if verdict(options.area, figure) == "OVER"]
    return 1 if over or missing else 0


if __name__ == "__main__":
    sys.exit(main())
