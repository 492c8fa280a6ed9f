"""Breaking code on purpose. The rule: each mutant dies by the test that is named for it.

    python -m z4j_testing.mutants packages/z4j-celery/tests/mutants.py [word …]

A list of mutants is a module with `SOURCE` (the directory above the package) and `MUTANTS`. Each is
applied to a copy of the source that shadows the installed one; nothing in the checkout changes.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .signals import PATIENCE

LIMIT_S = 90 * PATIENCE
_FAILED = 1


class Mutant(NamedTuple):
    """One fault: in `file`, `old` becomes `new`; `test` is a pytest node or `-k` expression."""

    name: str
    file: str
    old: str
    new: str
    test: str
    within: str = "tests/test_conformance.py"


class Verdict(NamedTuple):
    """What became of a mutant: `killed`, `survived`, or `broken` when it could not be judged."""

    mutant: Mutant
    outcome: str
    said: str = ""


def judge(mutant: Mutant, source: Path, tests: Path) -> Verdict:
    """Apply a mutant to a copy of `source` and run its test against that copy."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "src"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / mutant.file
        text = file.read_text(encoding="utf-8")
        if text.count(mutant.old) != 1:
            return Verdict(mutant, "broken", f"{text.count(mutant.old)} places to change")
        file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        return _run(mutant, copy, tests)


def _run(mutant: Mutant, copy: Path, tests: Path) -> Verdict:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
               str(tests.parent / mutant.within), "-k", mutant.test]  # fmt: skip
    path = os.pathsep.join([str(copy), os.environ.get("PYTHONPATH", "")])
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter and tests)
            command, capture_output=True, text=True, timeout=LIMIT_S, check=False,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Verdict(mutant, "killed", "it never ended")
    if done.returncode == _FAILED:
        return Verdict(mutant, "killed")
    outcome = "survived" if done.returncode == 0 else "broken"
    return Verdict(mutant, outcome, done.stdout.strip().rpartition("\n")[2])


def load(path: Path) -> Any:
    """Import a list of mutants from its file."""
    spec = importlib.util.spec_from_file_location("mutants_of", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(argv: Sequence[str]) -> int:
    """Judge the mutants of a file, those whose name has one of the words; 0 when all died."""
    path = Path(argv[0]).resolve()
    module = load(path)
    chosen = [m for m in module.MUTANTS if not argv[1:] or any(w in m.name for w in argv[1:])]
    source = (path.parent / module.SOURCE).resolve()
    verdicts = [_told(judge(mutant, source, path.parent)) for mutant in chosen]
    dead = sum(verdict.outcome == "killed" for verdict in verdicts)
    sys.stdout.write(f"{dead} of {len(verdicts)} died\n")
    return 0 if verdicts and dead == len(verdicts) else 1


def _told(verdict: Verdict) -> Verdict:
    sys.stdout.write(f"{verdict.outcome:8}  {verdict.mutant.name}  {verdict.said}\n")
    sys.stdout.flush()
    return verdict


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
