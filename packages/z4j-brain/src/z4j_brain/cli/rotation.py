"""`z4j secret`: which root secrets are still needed, and a new one. The rule: none is shown."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection
from z4j_core.errors import ConfigError

from ..rotation import service as rotation
from ..settings import read_roots
from ..web.context import Brain
from .on_brain import on_brain, os_user
from .options import parser
from .secret import put_first


def main(argv: Sequence[str] | None = None) -> int:
    """Show rows per root secret, or make a new one; running brains go over to it by themselves."""
    options = _options().parse_args(argv)

    def act(brain: Brain) -> None:
        with brain.db.writing() as conn:
            for line in _COMMANDS[options.what](conn, brain):
                print(json.dumps(line) if options.json else _text(line))

    return on_brain(options, act)


def _options() -> argparse.ArgumentParser:
    found = parser("secret", "Root secrets and the rows that need them.")
    found.add_argument("what", nargs="?", choices=sorted(_COMMANDS), default="status")
    found.add_argument("--json", action="store_true", help="one object per line")
    return found


def _status(conn: Connection, brain: Brain) -> list[dict[str, Any]]:
    rows = rotation.status(conn, brain.roots)
    return [
        {"root": kid, "current": kid == brain.roots.current, "rows": number}
        for kid, number in rows.items()
    ]


def _rotate(conn: Connection, brain: Brain) -> list[dict[str, Any]]:
    """Put a fresh secret before those of the file; the audit row is kept only with the file."""
    path = brain.settings.secret_file
    if path is None:
        text = "the root secret is set by Z4J_SECRET: replace it there, or use Z4J_SECRET_FILE"
        raise ConfigError("Z4J-E603", text)
    secrets = [brain.entropy(32).hex().encode(), *read_roots(path)]
    rotation.learn(conn, brain.roots, [*secrets, *brain.settings.set_previous])
    rotation.tell(conn, brain.roots, brain.entropy, brain.now_us(), os_user())
    put_first(path, secrets)
    return _status(conn, brain)


def _text(line: dict[str, Any]) -> str:
    if line["current"]:
        advice = "current"
    else:
        advice = "still needed" if line["rows"] else "no longer needed: remove it"
    return f"{line['root']}  {line['rows']} rows  {advice}"


_COMMANDS: dict[str, Callable[[Connection, Brain], list[dict[str, Any]]]] = {
    "status": _status,
    "rotate": _rotate,
}
