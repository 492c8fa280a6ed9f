"""`z4j secret`: which root secrets are still needed. The rule: it changes nothing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ..rotation import service as rotation
from ..web.context import Brain
from .on_brain import on_brain
from .options import parser


def main(argv: Sequence[str] | None = None) -> int:
    """Show rows per root secret; running brains bring them under the newest by themselves."""
    options = _options().parse_args(argv)

    def act(brain: Brain) -> None:
        with brain.db.reading() as conn:
            for line in _status(conn, brain):
                print(json.dumps(line) if options.json else _text(line))

    return on_brain(options, act)


def _options() -> argparse.ArgumentParser:
    found = parser("secret", "Root secrets and the rows that need them.")
    found.add_argument("what", nargs="?", choices=["status"], default="status")
    found.add_argument("--json", action="store_true", help="one object per line")
    return found


def _status(conn: Connection, brain: Brain) -> list[dict[str, Any]]:
    rows = rotation.status(conn, brain.roots)
    return [
        {"root": kid, "current": kid == brain.roots.current, "rows": number}
        for kid, number in rows.items()
    ]


def _text(line: dict[str, Any]) -> str:
    if line["current"]:
        advice = "current"
    else:
        advice = "still needed" if line["rows"] else "no longer needed: remove it"
    return f"{line['root']}  {line['rows']} rows  {advice}"
