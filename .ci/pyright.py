"""Run pyright over every package. The rule: a run that looked at too few files is a failure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Print what pyright objects to and return its verdict."""
    expected = sum(1 for _ in ROOT.glob("packages/*/src/**/*.py"))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    for found in report["generalDiagnostics"]:
        if found["severity"] == "error":
            line = found["range"]["start"]["line"] + 1
            print(f"{found['file']}:{line}: {found['message']} [{found.get('rule', '')}]")
    looked_at = report["summary"]["filesAnalyzed"]
    print(f"pyright: {looked_at} files, {report['summary']['errorCount']} errors")
    if looked_at < expected * 0.9:
        print(f"pyright looked at {looked_at} of {expected} files")
        return 1
    return 1 if report["summary"]["errorCount"] else 0


if __name__ == "__main__":
    sys.exit(main())
