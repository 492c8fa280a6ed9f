"""What was proved out of process. The rule: what is offered and what is proved are the same.

A pytest plugin: groups mark tests with `proves`, a rig's module calls `advertised` once per cell.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

WRITE = "Z4J_WRITE_CAPABILITIES"
_cells: dict[str, dict[str, Any]] = {}


def advertised(
    engine: str, cell: str, verbs: Mapping[str, int], missing: Mapping[str, str]
) -> None:
    """Note what an agent said it can do in a cell (`broker-pool`): verb to scope, and why not."""
    _cell(engine, cell).update(advertised=dict(verbs), unavailable=dict(missing))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Note what became of a test that proves something."""
    outcome = yield
    report = outcome.get_result()
    verbs = getattr(getattr(item, "function", None), "proves", ())
    cell = getattr(item, "callspec", None)
    rig = getattr(item, "funcargs", {}).get("rig")
    if not verbs or cell is None or rig is None or report.when != "call":
        return
    engine = rig.engine.name
    for verb in verbs:
        _cell(engine, cell.id)["outcomes"][verb.value] = report.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail when an agent offers what was not proved, or was proved and is not offered."""
    wrong = [line for key in sorted(_cells) for line in disagreements(key, _cells[key])]
    for line in wrong:
        session.config.get_terminal_writer().line(f"\ncapability {line}", red=True)
    if wrong:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    elif os.environ.get(WRITE) and _cells:
        write(Path(os.environ[WRITE]))


def disagreements(key: str, cell: Mapping[str, Any]) -> list[str]:
    """Each verb of a cell of which proof and advertisement differ; only verbs that were tried."""
    offered, found = cell.get("advertised"), []
    for verb, outcome in cell["outcomes"].items():
        if offered is None:
            continue
        if verb in offered and outcome != "passed":
            found.append(f"{key}: {verb} is offered and its proof {outcome}")
        if verb not in offered and outcome == "passed":
            found.append(f"{key}: {verb} was proved and is not offered")
    return found


def write(folder: Path) -> None:
    """Write capabilities.json and .md: only what passed is there, the rest has its reason.

    Engines that were not run keep what they had.
    """
    file = folder / "capabilities.json"
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for engine in {key.partition("/")[0] for key, cell in _cells.items() if "advertised" in cell}:
        known[engine] = {}
    for key, cell in sorted(_cells.items()):
        engine, _, name = key.partition("/")
        offered = cell.get("advertised")
        if offered is None:
            continue
        proved = {v: offered[v] for v, o in sorted(cell["outcomes"].items()) if o == "passed"}
        known[engine][name] = {
            "proved": proved,
            "unavailable": dict(sorted(cell.get("unavailable", {}).items())),
        }
    known = dict(sorted(known.items()))
    file.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    (folder / "capabilities.md").write_text(table(known), encoding="utf-8")


def table(known: Mapping[str, Mapping[str, Any]]) -> str:
    """The same for people: B any agent can do it, P only the process that holds the run."""
    lines = [
        "# What works where",
        "",
        "Written by the run with a worker in another process on a real broker; a verb is here only",
        "because it passed. B: any one agent of the broker does it. P: the process that holds the",
        "run does it. no: not possible there, with the reason.",
    ]
    for engine, cells in known.items():
        names = list(cells)
        verbs = sorted({v for c in cells.values() for v in (*c["proved"], *c["unavailable"])})
        lines += [
            "",
            f"## {engine}",
            "",
            f"| verb | {' | '.join(names)} |",
            "|---" * (len(names) + 1) + "|",
        ]
        rows = {verb: " | ".join(_mark(cells[name], verb) for name in names) for verb in verbs}
        lines += [f"| {verb} | {row} |" for verb, row in rows.items()]
    return "\n".join(lines) + "\n"


def _mark(cell: Mapping[str, Any], verb: str) -> str:
    if verb in cell["proved"]:
        return {1: "B", 2: "P", 3: "B P"}[cell["proved"][verb]]
    return f"no: {cell['unavailable'].get(verb, 'not implemented')}"


def _cell(engine: str, cell: str) -> dict[str, Any]:
    return _cells.setdefault(f"{engine}/{cell}", {"outcomes": {}})
