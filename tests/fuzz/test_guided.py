"""Ten million coverage-guided inputs; atheris is no dependency: `nox -s fuzz` brings it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUNS = int(os.environ.get("Z4J_FUZZ_RUNS", "10000000"))


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_no_guided_input_finds_an_undeclared_error(tmp_path, record_property):
    pytest.importorskip("atheris", reason="atheris is not installed: run `nox -s fuzz`")
    began = time.monotonic()

    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("guided.py")), str(RUNS), str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip

    spent = time.monotonic() - began
    findings = list(tmp_path.glob("crash-*")) + list(tmp_path.glob("timeout-*"))
    record_property(
        "figures", f"{RUNS} guided inputs, {len(findings)} findings, {RUNS / spent:.0f} per s"
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    assert f"stat::number_of_executed_units: {RUNS}" in done.stderr
