"""Which edition of the time zones answers here. The rule: two editions are two calendars."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from zoneinfo import TZPATH


def tzdata_version() -> str:
    """The edition of the IANA database, such as `2026b`, or `unknown`.

    `zoneinfo` prefers the files of the system to the package `tzdata`, and so does this. Leader and
    brain compare it: with two editions one wall time can be two instants.
    """
    for folder in map(Path, TZPATH):
        try:
            with (folder / "tzdata.zi").open(encoding="ascii", errors="replace") as file:
                line = file.readline()
        except OSError:
            continue
        if line.startswith("# version "):
            return line.removeprefix("# version ").strip()
    try:
        return str(import_module("tzdata").IANA_VERSION)
    except ModuleNotFoundError:
        return "unknown"
