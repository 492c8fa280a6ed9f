"""What `nox -s conformance` has proved. The rule: a cell that was not run is not left out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

ENGINES = ("celery", "rq", "dramatiq", "huey", "arq", "taskiq")
VERSIONS = ("oldest", "newest")
RIGS = ("inside", "outside")
SCOPES = {1: "B", 2: "P", 3: "B P"}


def main(folder: str) -> int:
    """Print both tables; 1 when a test failed."""
    cells = {
        (engine, versions, rig): outcome(Path(folder) / f"{engine}-{versions}" / f"{rig}.xml")
        for engine in ENGINES
        for versions in VERSIONS
        for rig in RIGS
    }
    columns = [f"{versions} {rig}" for versions in VERSIONS for rig in RIGS]
    print(f"\n| engine | {' | '.join(columns)} |\n{'|---' * (len(columns) + 1)}|")
    for engine in ENGINES:
        told = [cells[engine, versions, rig][1] for versions in VERSIONS for rig in RIGS]
        print(f"| {engine} | {' | '.join(told)} |")
    for engine in ENGINES:
        for line in verbs(engine, Path(folder)):
            print(line)
    return int(not all(is_good for is_good, _ in cells.values()))


def outcome(report: Path) -> tuple[bool, str]:
    """Whether all tests of a report passed that could be run, and how many did."""
    if not report.exists():
        return True, "not run"
    (suite,) = ET.parse(report).getroot().iter("testsuite")
    tests, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
    bad = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    said = f"{tests - skipped - bad} passed, {skipped} skipped"
    return bad == 0 and tests > skipped, said + (f", {bad} FAILED" if bad else "")


def verbs(engine: str, folder: Path) -> Iterator[str]:
    """The table of an engine: verbs by versions, broker and pool."""
    proved = {
        f"{versions} {name}": cell
        for versions in VERSIONS
        for name, cell in _cells(folder / f"{engine}-{versions}" / "capabilities.json", engine)
    }
    if not proved:
        return
    yield f"\n| {engine} | {' | '.join(proved)} |"
    yield f"{'|---' * (len(proved) + 1)}|"
    for verb in sorted({v for c in proved.values() for v in (*c["proved"], *c["unavailable"])}):
        marks = [
            SCOPES[cell["proved"][verb]]
            if verb in cell["proved"]
            else f"no: {cell['unavailable'].get(verb, 'not proved')}"
            for cell in proved.values()
        ]
        yield f"| {verb} | {' | '.join(marks)} |"


def _cells(file: Path, engine: str) -> list[tuple[str, dict[str, dict[str, object]]]]:
    if not file.exists():
        return []
    return sorted(json.loads(file.read_text(encoding="utf-8")).get(engine, {}).items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
