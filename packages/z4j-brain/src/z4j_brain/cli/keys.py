"""`z4j keys`: keys of agents, on the brain's own machine. The rule: a secret is shown once."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from ..agents import pages
from ..agents import service as agents
from ..audit.service import Entry, record
from ..auth import service as auth
from ..errors import NotFound
from ..web.context import Brain
from .dev import dsn_of
from .on_brain import on_brain, os_user
from .options import parser


def main(argv: Sequence[str] | None = None) -> int:
    """List, create, retire and revoke keys, or show who was refused."""
    options = _options().parse_args(argv)

    def act(brain: Brain) -> None:
        with brain.db.writing() as conn:
            for line in _COMMANDS[options.what](conn, brain, options):
                print(json.dumps(line) if options.json else _text(line))

    return on_brain(options, act)


def _options() -> argparse.ArgumentParser:
    found = parser("keys", "Keys of agents.")
    found.add_argument("what", nargs="?", choices=sorted(_COMMANDS), default="list")
    found.add_argument("--project", default="main", help="slug of the project (main)")
    found.add_argument("--label", default="", help="create: what the key is for")
    found.add_argument(
        "--role", choices=agents.ROLES, default=agents.AGENT,
        help="create: scheduler for a z4j-scheduler, which can do nothing else (agent)",
    )  # fmt: skip
    found.add_argument("--cred", help="create: second key of this credential; revoke: which one")
    found.add_argument("--kid", type=int, help="retire, revoke: number of the key")
    found.add_argument("--url", help="create: where agents reach the server")
    found.add_argument("--force", action="store_true", help="retire: also with agents connected")
    found.add_argument("--json", action="store_true", help="one object per line")
    return found


def _project(conn: Connection, options: argparse.Namespace) -> str:
    found = auth.project_of(conn, options.project)
    if found is None:
        raise NotFound("not_found", f"no project {options.project!r}")
    return found.id


def _text(line: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in line.items() if value is not None)


def _list(conn: Connection, _brain: Brain, options: argparse.Namespace) -> list[dict[str, Any]]:
    return pages.keys(conn, _project(conn, options))


def _refused(conn: Connection, _brain: Brain, options: argparse.Namespace) -> list[dict[str, Any]]:
    return pages.refused(conn, _project(conn, options), with_unknown=True)


def _create(conn: Connection, brain: Brain, options: argparse.Namespace) -> list[dict[str, Any]]:
    project_id, settings = _project(conn, options), brain.settings
    roots, entropy, now_us = brain.roots, brain.entropy, brain.now_us()
    action = "agent_key.create" if options.cred is None else "agent_key.rotate"
    if options.cred is not None:
        _own(conn, project_id, options.cred)
        made = agents.second_key(conn, roots, entropy, options.cred, now_us)
    else:
        made = agents.create_key(
            conn, roots, entropy, project_id=project_id, now_us=now_us,
            holder=agents.Holder(options.label, options.role),
        )  # fmt: skip
    _audit(conn, brain, project_id, action, made.cred_id, kid=made.kid)
    base = options.url or settings.public_url or f"http://{settings.host}:{settings.port}"
    dsn = dsn_of(base.rstrip("/"), made.key_id, made.secret, options.project)
    return [{"cred_id": made.cred_id, "kid": made.kid, "dsn": dsn}]


def _end(conn: Connection, brain: Brain, options: argparse.Namespace) -> list[dict[str, Any]]:
    project_id, now_us = _project(conn, options), brain.now_us()
    _own(conn, project_id, options.cred)
    if options.what == "retire":
        if options.kid is None:
            raise NotFound("key.not_found", "give --kid with the number of the key to retire")
        here = agents.retire_key(conn, options.cred, options.kid, now_us, force=options.force)
        detail = {"kid": options.kid, "force": options.force, "sessions": here}
    else:
        agents.revoke_key(conn, options.cred, now_us, options.kid)
        detail = {"kid": options.kid}
    _audit(conn, brain, project_id, f"agent_key.{options.what}", options.cred, **detail)
    return [{"cred_id": options.cred, **detail, options.what: True}]


def _own(conn: Connection, project_id: str, cred_id: str | None) -> None:
    """Refuse a credential of another project."""
    if cred_id not in {key.cred_id for key in agents.list_keys(conn, project_id)}:
        raise NotFound("key.not_found", "give --cred with a credential of this project")


def _audit(
    conn: Connection, brain: Brain, project_id: str, action: str, cred_id: str, **detail: Any
) -> None:
    entry = Entry(action, os_user(), "cli", project_id, f"key {cred_id}", detail=detail)
    record(conn, brain.new_id(), brain.now_us(), entry)


_Command = Callable[[Connection, Brain, argparse.Namespace], list[dict[str, Any]]]
_COMMANDS: dict[str, _Command] = {
    "list": _list,
    "create": _create,
    "retire": _end,
    "revoke": _end,
    "refused": _refused,
}
