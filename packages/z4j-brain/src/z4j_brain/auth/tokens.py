"""API tokens over HTTP. The rule: a token does at most what its maker may do now, in one project.

Its text is `z4jt_<8 id>_<43 base62>_<6 check>`, shown once; only its SHA-256 is stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row

from ..audit.service import Entry, record
from ..errors import Forbidden, Invalid, NotFound
from ..web.ask import Ask
from ..web.context import OF_TOKEN, Brain, Principal, Project
from ..web.numbers import ms
from ..web.rights import ROLES_OF, STEP_UP, STEP_UP_US, may
from ..web.route import SIGNED_IN, Table
from . import service, store

ROUTES = Table()
DAY_US = 86_400_000_000
DAYS, MAX_DAYS, MAX_DAYS_STEP_UP = 90, 365, 30
MAX_LABEL = 100
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID, _BODY, _CHECK = 8, 43, 6


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """What a token is for. Without `scopes`: all its maker may do, but for what needs step-up."""

    project: str
    label: str = ""
    scopes: list[str] | None = None
    days: int = DAYS


class Made(msgspec.Struct):
    """A new token; `token` is in this answer and nowhere else."""

    id: str
    token: str
    scopes: list[str]
    expires_at: int


class Shown(msgspec.Struct):
    """A token of this account, without its secret."""

    id: str
    project: str
    label: str
    scopes: list[str]
    created_at: int
    expires_at: int | None
    last_used_at: int | None


class Listed(msgspec.Struct):
    """Tokens of this account that are not revoked."""

    items: list[Shown]


def token_text(entropy: Callable[[int], bytes]) -> tuple[str, str]:
    """A fresh id and the token with its check digits."""
    token_id = _base62(int.from_bytes(entropy(6), "big"), _ID)
    head = f"z4jt_{token_id}_{_base62(int.from_bytes(entropy(32), 'big'), _BODY)}"
    return token_id, f"{head}_{_base62(zlib.crc32(head.encode()), _CHECK)}"


def _base62(number: int, width: int) -> str:
    text = ""
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


def renew(conn: Connection, brain: Brain, user_id: str, project_id: str, label: str) -> str:
    """A token for all that needs no proof; it ends the older ones of this user and label."""
    now_us = brain.now_us()
    for row in store.tokens_of(conn, user_id):
        if row.label == label:
            store.revoke_token(conn, row.id, user_id, now_us)
    kept = Kept(project_id, user_id, label, sorted(set(ROLES_OF) - STEP_UP), now_us + DAYS * DAY_US)
    return _keep(conn, brain, kept, now_us)[1]


class Kept(NamedTuple):
    """What is stored of a token beside its hash; `expires` in µs."""

    project_id: str
    user_id: str
    label: str
    scopes: list[str]
    expires: int


def _keep(conn: Connection, brain: Brain, kept: Kept, now_us: int) -> tuple[str, str]:
    token_id, text = token_text(brain.entropy)
    row = {"id": token_id, "token_hash": service.digest(text), "created": now_us}
    store.add_token(conn, row | kept._asdict())
    return token_id, text


@ROUTES.get("/api/v1/tokens", SIGNED_IN, gives=Listed)
async def tokens(ask: Ask) -> Listed:
    """Own tokens."""
    _session(ask)
    rows = await ask.brain.db.read(store.tokens_of, ask.principal.user_id)
    return Listed([_shown(row) for row in rows])


@ROUTES.post("/api/v1/tokens", SIGNED_IN, takes=NewToken, gives=Made, status=201)
async def create_token(ask: Ask) -> Made:
    """Make a token."""
    who = _session(ask)
    body, brain, now_us = await ask.body(NewToken), ask.brain, ask.brain.now_us()
    if now_us - who.proved_us > STEP_UP_US:
        raise Forbidden("auth.step_up", "prove again that it is you: type your password")

    def work(conn: Connection) -> Made:
        project = service.project_of(conn, body.project)
        if project is None or project.id not in who.roles:
            raise NotFound("not_found", "no such project")
        scopes = _scopes(who, project, body)
        expires = now_us + body.days * DAY_US
        kept = Kept(project.id, who.user_id, body.label[:MAX_LABEL], scopes, expires)
        token_id, text = _keep(conn, brain, kept, now_us)
        entry = Entry("token.create", who.name, who.via, project.id, f"token {token_id}")
        record(conn, brain.new_id(), now_us, entry)
        return Made(token_id, text, scopes, expires // 1000)

    return await brain.db.write(work)


@ROUTES.post("/api/v1/tokens/{id}/revoke", SIGNED_IN, status=204)
async def revoke_token(ask: Ask) -> None:
    """End one of one's own tokens at once; a token may end itself."""
    who, token_id, now_us = ask.principal, ask.path("id"), ask.brain.now_us()
    if who.token and who.token != token_id:
        raise Forbidden("auth.role", "a token ends no other")

    def work(conn: Connection) -> None:
        if not store.revoke_token(conn, token_id, who.user_id, now_us):
            raise NotFound("not_found", "no such token")
        entry = Entry("token.revoke", who.name, who.via, None, f"token {token_id}")
        record(conn, ask.brain.new_id(), now_us, entry)

    await ask.brain.db.write(work)
    if ask.brain.streams is not None:
        ask.brain.streams.revoked(f"{OF_TOKEN}{token_id}")


def _session(ask: Ask) -> Principal:
    """Who asks, in a session: a token neither makes nor lists tokens."""
    who = ask.principal
    if not who.session:
        raise Forbidden("auth.role", "a token cannot do this: use a session")
    return who


def _scopes(who: Principal, project: Project, body: NewToken) -> list[str]:
    mine = {action for action in ROLES_OF if may(who, action, project.id)}
    wanted = set(body.scopes) if body.scopes is not None else mine - STEP_UP
    if unknown := sorted(wanted - set(ROLES_OF)):
        raise Invalid("request.invalid", f"no such action: {', '.join(unknown)}", field="scopes")
    if beyond := sorted(wanted - mine):
        raise Forbidden("auth.role", f"your role does not include {', '.join(beyond)}")
    most = MAX_DAYS_STEP_UP if wanted & STEP_UP else MAX_DAYS
    if not wanted or not 1 <= body.days <= most:
        text = f"name at least one action and 1 to {most} days"
        raise Invalid("request.invalid", text, field="days" if wanted else "scopes")
    return sorted(wanted)


def _shown(row: Row[Any]) -> Shown:
    return Shown(
        id=row.id, project=row.slug, label=row.label or "", scopes=list(row.scopes or ()),
        created_at=row.created // 1000, expires_at=ms(row.expires),
        last_used_at=ms(row.last_used),
    )  # fmt: skip
