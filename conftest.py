"""What every test run says about itself: versions first, skips by reason last."""

from __future__ import annotations

from collections import Counter
from importlib import metadata

import pytest

_TOLD = ("celery", "kombu", "redis", "websockets", "msgpack", "sqlalchemy", "starlette")


def _version(dist: str) -> str | None:
    try:
        return f"{dist} {metadata.version(dist)}"
    except metadata.PackageNotFoundError:
        return None


def pytest_report_header() -> str:
    return "with: " + ", ".join(told for dist in _TOLD if (told := _version(dist)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
        if isinstance(report.longrepr, tuple)
    )
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}", yellow=True)
    for report in terminalreporter.getreports("passed"):
        for name, figures in report.user_properties:
            if name == "figures" and report.when == "call":
                terminalreporter.write_line(f"{figures} in {report.duration:.1f} s")
