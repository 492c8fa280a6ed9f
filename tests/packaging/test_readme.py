"""The README as promises: its table is the proved one."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_exactly_what_was_proved():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    proved = (ROOT / "spec" / "capabilities.md").read_text(encoding="utf-8")

    rows = [line for line in proved.splitlines() if line.startswith("|")]
    shown = readme.split("<!-- capabilities", 1)[1].split("<!-- end of capabilities -->")[0]

    assert len(rows) > 5
    assert [line for line in shown.splitlines() if line.startswith("|")] == rows
