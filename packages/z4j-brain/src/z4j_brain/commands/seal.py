"""Commands that may be sent. The rule: a row written by SQL alone is never delivered.

The MAC covers everything an agent acts on; its key is not in the database.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from ..db.rootkeys import RootKeys
from .model import commands

CHANNEL = "z4j_commands"
_ENCODE = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommand:
    """One command for one engine and app; `cmd_id` is a UUIDv7 in hex, times are µs."""

    cmd_id: str
    project_id: str
    engine: str
    app: str
    verb: str
    scope: int
    targets: list[str]
    deadline_us: int
    created_us: int
    actor: list[str]
    params: Mapping[str, Any] = field(default_factory=dict)
    flags: int = 0
    reason: str = ""
    bulk_id: str | None = None
    chunk: int | None = None
    chunks: int | None = None


def command_mac(roots: RootKeys, row: Mapping[str, Any], kid: str | None = None) -> bytes:
    """MAC of a command row under the root named `kid` (default: the current one).

    Raises:
        ConfigError: that root is not configured.
    """
    body = _ENCODE(
        [
            row["project_id"],
            row["cmd_id"],
            row["engine"],
            row["app"],
            row["verb"],
            row["scope"],
            row["targets"],
            row["params"],
            row["flags"],
            row["deadline"],
            row["actor"],
            row["reason"],
            [row["bulk_id"], row["chunk"], row["chunks"]],
        ]
    )
    return hmac.digest(roots.derive("command", kid), body, sha256)


def is_sealed(roots: RootKeys, row: Mapping[str, Any]) -> bool:
    """Whether this row is as it was after `authorize()`."""
    if row["root_kid"] not in roots.kids:
        return False
    return hmac.compare_digest(command_mac(roots, row, row["root_kid"]), row["cmd_mac"])


def add_command(conn: Connection, roots: RootKeys, command: NewCommand) -> str:
    """Add a command that the gateway will send after the commit; returns its id.

    Call it after `authorize()`, in the transaction that writes the audit row.
    """
    row: dict[str, Any] = {
        "cmd_id": command.cmd_id,
        "project_id": command.project_id,
        "bulk_id": command.bulk_id,
        "chunk": command.chunk,
        "chunks": command.chunks,
        "engine": command.engine,
        "app": command.app,
        "verb": command.verb,
        "scope": command.scope,
        "targets": command.targets,
        "params": dict(command.params),
        "flags": command.flags,
        "deadline": command.deadline_us,
        "actor": command.actor,
        "reason": command.reason,
        "state": "ready",
        "root_kid": roots.kid,
        "created": command.created_us,
    }
    row["cmd_mac"] = command_mac(roots, row, row["root_kid"])
    conn.execute(insert(commands), [row])
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"NOTIFY {CHANNEL}")
    return command.cmd_id
