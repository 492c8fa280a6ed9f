"""A brain for development: project, owner and agent key without a form. Loopback only."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection

from ..agents import service as agents
from ..auth import service as auth
from ..auth import tokens
from ..projects import service as projects
from ..web.context import Brain

EMAIL = "dev@localhost"
LABEL = "development"


class Dev(NamedTuple):
    """What a developer needs; all three secrets are shown once."""

    url: str
    login_url: str
    dsn: str
    token: str


def prepare(conn: Connection, brain: Brain, slug: str, base: str) -> Dev:
    """Make sure project and owner exist; make a fresh key, token and one-time link."""
    now_us = brain.now_us()
    project_id = projects.ensure(conn, brain, slug)
    user_id = auth.ensure_admin(conn, brain, EMAIL, project_id)
    key = agents.create_key(
        conn, brain.roots, brain.entropy, project_id=project_id, now_us=now_us,
        holder=agents.Holder("dev"),
    )  # fmt: skip
    link = auth.make_link(conn, brain.entropy, "link", now_us, user_id)
    dsn = dsn_of(base, key.key_id, key.secret, slug)
    token = tokens.renew(conn, brain, user_id, project_id, LABEL)
    return Dev(base, f"{base}/p/{slug}#{link}", dsn, token)


def dsn_of(base: str, key_id: str, secret: str, slug: str) -> str:
    """The DSN of a key, as agents read it."""
    parts = urlsplit(base)
    return f"{parts.scheme}://{key_id}:{secret}@{parts.netloc}{parts.path}/{slug}"
