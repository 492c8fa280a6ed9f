"""Signing in and out. The rule: what is stored proves a secret, it never is one."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from ..audit.service import Entry, record
from ..db.rootkeys import RootKeys
from ..errors import NotFound, Problem
from ..projects import service as projects
from ..web.context import Brain, Principal, Project
from ..web.rights import may
from . import store

IDLE_US = 12 * 3600 * 1_000_000
ABSOLUTE_US = 7 * 24 * 3600 * 1_000_000
TOUCH_US = 60_000_000
LINK_US = 15 * 60 * 1_000_000
WINDOW_US = 15 * 60 * 1_000_000
FREE_FAILURES = 10
PEPPER = "pepper"
Entropy = Callable[[int], bytes]


class Founder(NamedTuple):
    """The first account: password already hashed, token not yet used."""

    email: str
    name: str
    password: str
    project: str
    token_hash: str


class Visit(NamedTuple):
    """Where a login comes from, as sessions remember it."""

    address: str
    agent: str


def digest(secret: str) -> str:
    """What is stored of a session id or token."""
    return sha256(secret.encode()).hexdigest()


def new_secret(entropy: Entropy) -> str:
    """256 bits as text."""
    return urlsafe_b64encode(entropy(32)).decode().rstrip("=")


def pepper(conn: Connection, roots: RootKeys, entropy: Entropy, now_us: int) -> bytes:
    """The random key mixed into each password; made at first use, wrapped by the root."""
    row, place = store.wrapped_key(conn, PEPPER), place_of(PEPPER)
    if row is not None:
        return roots.unwrap(row.root_kid, place, row.wrapped)
    fresh, root = entropy(32), roots.kid
    store.add_key(conn, PEPPER, root, roots.wrap(place, fresh, entropy, root), now_us)
    return fresh


def place_of(name: str) -> str:
    """What a wrapped key of the ring is bound to."""
    return f"keyring|{name}|wrapped"


def open_session(conn: Connection, brain: Brain, user_id: str, visit: Visit) -> str:
    """A new session of this user; returns the cookie's value."""
    secret, now_us = new_secret(brain.entropy), brain.now_us()
    store.add_session(
        conn,
        {
            "id_hash": digest(secret),
            "user_id": user_id,
            "created": now_us,
            "seen": now_us,
            "expires": now_us + ABSOLUTE_US,
            "proved": now_us,
            "ip": visit.address[:64],
            "agent": visit.agent[:200],
        },
    )
    return secret


def close_session(conn: Connection, brain: Brain, who: Principal) -> None:
    """End this session for good."""
    store.drop_session(conn, who.session)
    entry = Entry("session.logout", who.email, who.via)
    record(conn, brain.new_id(), brain.now_us(), entry)


def principal_of_session(conn: Connection, secret: str, now_us: int) -> Principal | None:
    """Who this cookie is, unless it idled too long, expired or was revoked."""
    row = store.session_owner(conn, digest(secret))
    if row is None or now_us > row.expires or now_us - row.seen > IDLE_US:
        return None
    return Principal(
        user_id=row.user_id,
        name=row.name or row.email,
        email=row.email,
        is_owner=row.is_owner,
        via="ui",
        session=row.id_hash,
        proved_us=row.proved or 0,
        idle_us=now_us - row.seen,
        roles=store.roles(conn, row.user_id),
    )


def principal_of_token(conn: Connection, token: str, now_us: int) -> Principal | None:
    """Who this API token is: its creator, within its scopes and its one project."""
    row = store.token_owner(conn, digest(token))
    if row is None or (row.expires is not None and now_us > row.expires):
        return None
    roles = store.roles(conn, row.user_id)
    return Principal(
        user_id=row.user_id,
        name=row.name or row.email,
        email=row.email,
        is_owner=False,
        via="api",
        token=row.id,
        idle_us=now_us - (row.last_used or 0),
        scopes=frozenset(row.scopes) if row.scopes is not None else None,
        roles={key: value for key, value in roles.items() if key == row.project_id},
    )


def still_may(conn: Connection, user_id: str, action: str, project_id: str) -> bool:
    """Whether this user may do it now, whatever was permitted when it was ordered."""
    user = store.enabled_user(conn, user_id)
    if user is None:
        return False
    roles = store.roles(conn, user_id)
    return may(Principal(user_id, user.name, user.email, user.is_owner, "", roles=roles), action,
               project_id)  # fmt: skip


def project_of(conn: Connection, slug: str) -> Project | None:
    """The project with this slug, whoever asks."""
    row = store.project_by_slug(conn, slug)
    return None if row is None else Project(row.id, row.slug, row.name)


def make_link(
    conn: Connection, entropy: Entropy, purpose: str, now_us: int, user_id: str | None = None
) -> str:
    """A one-time token, good for 15 minutes; an older one of this purpose is void.

    Raises:
        NotFound: a setup link is asked for and an owner exists.
    """
    if purpose == "setup" and store.owner_exists(conn):
        raise NotFound("setup.done", "this instance has an owner already")
    token = new_secret(entropy)
    row = {"token_hash": digest(token), "purpose": purpose, "user_id": user_id}
    store.add_one_time(conn, row | {"created": now_us, "expires": now_us + LINK_US})
    return token


def follow_link(conn: Connection, brain: Brain, token: str, visit: Visit) -> str:
    """Trade a one-time login token for a session; returns the cookie's value.

    Raises:
        Problem: 401, used, expired or never made.
    """
    now_us, hashed = brain.now_us(), digest(token)
    row = store.one_time(conn, hashed, "link", now_us)
    if row is None or row.user_id is None or not store.use_one_time(conn, hashed, now_us):
        raise Problem("auth.link", "this link was used or is too old", status=401)
    entry = Entry("session.login", row.user_id, "link")
    record(conn, brain.new_id(), now_us, entry)
    return open_session(conn, brain, row.user_id, visit)


def delay_us(failures: int) -> int:
    """How long to wait after this many failures: none for ten, then doubling to 15 minutes."""
    if failures < FREE_FAILURES:
        return 0
    return min(1_000_000 << min(failures - FREE_FAILURES, 20), WINDOW_US)


def buckets_of(email: str, address: str) -> list[str]:
    """Counters a login attempt touches; the account's name is hashed."""
    return [f"account:{digest(email)}", f"ip:{address}"]


def refuse_throttled(conn: Connection, buckets: list[str], now_us: int) -> None:
    """Refuse while a delay runs; asking does not extend it.

    Raises:
        Problem: 429 with the seconds to wait.
    """
    until = max((row.until or 0 for row in store.failures(conn, buckets).values()), default=0)
    if until > now_us:
        wait_s = (until - now_us) // 1_000_000 + 1
        raise Problem("auth.throttled", "too many failures", status=429, retry_after_s=wait_s)


def count_failure(conn: Connection, buckets: list[str], now_us: int) -> None:
    """Count one failure in each bucket."""
    known = store.failures(conn, buckets)
    for bucket in buckets:
        failures, first = _next(known.get(bucket), now_us)
        wait = delay_us(failures)
        until = now_us + wait if wait else None
        row = {"bucket": bucket, "failures": failures, "first": first, "until": until}
        store.set_failures(conn, row)


def _next(row: Row[Any] | None, now_us: int) -> tuple[int, int]:
    if row is None or now_us - row.first > WINDOW_US:
        return 1, now_us
    return row.failures + 1, row.first


def account(conn: Connection, email: str, buckets: list[str], now_us: int) -> Row[Any] | None:
    """The account to verify against.

    Raises:
        Problem: 429.
    """
    refuse_throttled(conn, buckets, now_us)
    return store.user_by_email(conn, email)


def login(conn: Connection, brain: Brain, user_id: str, buckets: list[str], visit: Visit) -> str:
    """Open a session after the password was verified; returns the cookie's value."""
    store.clear_failures(conn, buckets[:1])
    entry = Entry("session.login", user_id, "ui")
    record(conn, brain.new_id(), brain.now_us(), entry)
    return open_session(conn, brain, user_id, visit)


def failed(conn: Connection, brain: Brain, email: str, buckets: list[str]) -> None:
    """Count and write down a wrong password."""
    now_us = brain.now_us()
    count_failure(conn, buckets, now_us)
    entry = Entry("session.login", email[:200], "ui", outcome="denied")
    record(conn, brain.new_id(), now_us, entry)


def found(conn: Connection, brain: Brain, founder: Founder, visit: Visit) -> tuple[str, str]:
    """Make owner, project and membership; returns cookie value and slug.

    Raises:
        Problem: 401, somebody used the token meanwhile.
    """
    now_us = brain.now_us()
    if store.owner_exists(conn) or not store.use_one_time(conn, founder.token_hash, now_us):
        raise Problem("auth.link", "this link was used or is too old", status=401)
    user_id = add_owner(conn, brain, founder.email, founder.name, founder.password)
    slug = projects.slug_of(founder.project)
    project_id = projects.create(conn, brain, founder.project.strip()[:200], slug)
    store.add_member(conn, project_id, user_id, "admin", now_us)
    entry = Entry("instance.setup", founder.email, "ui", project_id)
    record(conn, brain.new_id(), now_us, entry)
    return open_session(conn, brain, user_id, visit), slug


def add_owner(conn: Connection, brain: Brain, email: str, name: str, password: str) -> str:
    """The owner's account; returns its id."""
    user_id = brain.new_id()
    row = {
        "id": user_id,
        "email": email,
        "name": name.strip()[:200] or email.split("@", maxsplit=1)[0],
    }
    store.add_user(conn, row | {"password": password, "is_owner": True, "created": brain.now_us()})
    return user_id


def owner_exists(conn: Connection) -> bool:
    """Whether somebody owns this instance already."""
    return store.owner_exists(conn)


def ensure_admin(conn: Connection, brain: Brain, email: str, project_id: str) -> str:
    """An owner without a usable password who is admin of the project; returns their id."""
    user = store.user_by_email(conn, email)
    user_id = user.id if user is not None else add_owner(conn, brain, email, "Dev", "!")
    if project_id not in store.roles(conn, user_id):
        store.add_member(conn, project_id, user_id, "admin", brain.now_us())
    return str(user_id)
