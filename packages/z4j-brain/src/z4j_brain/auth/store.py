"""Rows of people, sessions and one-time tokens. The rule: only hashes of secrets are stored."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from ..projects.model import projects
from .model import api_tokens, keyring, members, sessions, setup_tokens, throttle, users


def owner_exists(conn: Connection) -> bool:
    """Whether somebody owns this instance already."""
    return conn.execute(select(users.c.id).where(users.c.is_owner)).first() is not None


def user_by_email(conn: Connection, email: str) -> Row[Any] | None:
    return conn.execute(select(users).where(users.c.email == email)).first()


def enabled_user(conn: Connection, user_id: str) -> Row[Any] | None:
    """The user, unless disabled."""
    return conn.execute(
        select(users).where(users.c.id == user_id, users.c.disabled.is_(None))
    ).first()


def add_user(conn: Connection, row: dict[str, Any]) -> None:
    conn.execute(insert(users).values(settings={}, **row))


def set_password(conn: Connection, user_id: str, password: str) -> None:
    conn.execute(update(users).where(users.c.id == user_id).values(password=password))


def add_session(conn: Connection, row: dict[str, Any]) -> None:
    """Keep the session, note the login, forget sessions that have ended."""
    conn.execute(delete(sessions).where(sessions.c.expires < row["created"]))
    conn.execute(insert(sessions).values(**row))
    touched = update(users).where(users.c.id == row["user_id"])
    conn.execute(touched.values(last_login=row["created"]))


def session_owner(conn: Connection, id_hash: str) -> Row[Any] | None:
    """Session and its user, unless that user is disabled."""
    return conn.execute(
        select(sessions, users.c.name, users.c.email, users.c.is_owner)
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.id_hash == id_hash, users.c.disabled.is_(None))
    ).first()


def token_owner(conn: Connection, token_hash: str) -> Row[Any] | None:
    """API token and its creator, unless one of them is gone."""
    return conn.execute(
        select(api_tokens, users.c.name, users.c.email, users.c.is_owner)
        .join(users, users.c.id == api_tokens.c.user_id)
        .where(
            api_tokens.c.token_hash == token_hash,
            api_tokens.c.revoked.is_(None),
            users.c.disabled.is_(None),
        )
    ).first()


def touch_session(conn: Connection, id_hash: str, now_us: int) -> None:
    conn.execute(update(sessions).where(sessions.c.id_hash == id_hash).values(seen=now_us))


def prove_session(conn: Connection, id_hash: str, now_us: int) -> None:
    """Note a fresh proof of identity in this session."""
    conn.execute(update(sessions).where(sessions.c.id_hash == id_hash).values(proved=now_us))


def touch_token(conn: Connection, token_id: str, now_us: int) -> None:
    conn.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(last_used=now_us))


def tokens_of(conn: Connection, user_id: str) -> list[Row[Any]]:
    """Tokens of a user that are not revoked, newest first."""
    found = (
        select(api_tokens, projects.c.slug)
        .join(projects, projects.c.id == api_tokens.c.project_id)
        .where(api_tokens.c.user_id == user_id, api_tokens.c.revoked.is_(None))
        .order_by(api_tokens.c.created.desc())
        .limit(500)
    )
    return list(conn.execute(found))


def live_tokens(conn: Connection, ids: list[str], now_us: int) -> set[str]:
    """Those of `ids` that still are tokens of an enabled user."""
    found = conn.execute(
        select(api_tokens.c.id)
        .join(users, users.c.id == api_tokens.c.user_id)
        .where(
            api_tokens.c.id.in_(ids),
            api_tokens.c.revoked.is_(None),
            or_(api_tokens.c.expires.is_(None), api_tokens.c.expires > now_us),
            users.c.disabled.is_(None),
        )
    )
    return set(found.scalars())


def add_token(conn: Connection, row: dict[str, Any]) -> None:
    conn.execute(insert(api_tokens).values(**row))


def revoke_token(conn: Connection, token_id: str, user_id: str, now_us: int) -> bool:
    """End a token of this user; False when there is no live one."""
    done = conn.execute(
        update(api_tokens)
        .where(
            api_tokens.c.id == token_id,
            api_tokens.c.user_id == user_id,
            api_tokens.c.revoked.is_(None),
        )
        .values(revoked=now_us)
    )
    return done.rowcount == 1


def drop_session(conn: Connection, id_hash: str) -> None:
    conn.execute(delete(sessions).where(sessions.c.id_hash == id_hash))


def live_sessions(conn: Connection, hashes: list[str], now_us: int) -> set[str]:
    """Those of `hashes` that still are sessions of an enabled user."""
    found = conn.execute(
        select(sessions.c.id_hash)
        .join(users, users.c.id == sessions.c.user_id)
        .where(
            sessions.c.id_hash.in_(hashes),
            sessions.c.expires > now_us,
            users.c.disabled.is_(None),
        )
    )
    return set(found.scalars())


def roles(conn: Connection, user_id: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Project id to (role, grants) of one user."""
    found = conn.execute(select(members).where(members.c.user_id == user_id))
    return {row.project_id: (row.role, frozenset(row.grants or ())) for row in found}


def add_member(conn: Connection, project_id: str, user_id: str, role: str, now_us: int) -> None:
    conn.execute(
        insert(members).values(
            project_id=project_id, user_id=user_id, role=role, grants=[], created=now_us
        )
    )


def project_by_slug(conn: Connection, slug: str) -> Row[Any] | None:
    return conn.execute(
        select(projects).where(projects.c.slug == slug, projects.c.archived.is_(None))
    ).first()


def projects_of(conn: Connection, ids: list[str]) -> list[Row[Any]]:
    found = select(projects).where(projects.c.id.in_(ids), projects.c.archived.is_(None))
    return list(conn.execute(found.order_by(projects.c.slug)))


def add_one_time(conn: Connection, row: dict[str, Any]) -> None:
    """Keep a one-time token; an older one of its purpose and user is void."""
    same_user = setup_tokens.c.user_id.is_not_distinct_from(row["user_id"])
    conn.execute(delete(setup_tokens).where(setup_tokens.c.purpose == row["purpose"], same_user))
    conn.execute(insert(setup_tokens).values(**row))


def one_time(conn: Connection, token_hash: str, purpose: str, now_us: int) -> Row[Any] | None:
    """The unused, unexpired token, not consumed by looking."""
    return conn.execute(
        select(setup_tokens).where(
            setup_tokens.c.token_hash == token_hash,
            setup_tokens.c.purpose == purpose,
            setup_tokens.c.used.is_(None),
            setup_tokens.c.expires > now_us,
        )
    ).first()


def use_one_time(conn: Connection, token_hash: str, now_us: int) -> bool:
    """Consume the token; False when somebody was faster."""
    done = conn.execute(
        update(setup_tokens)
        .where(setup_tokens.c.token_hash == token_hash, setup_tokens.c.used.is_(None))
        .values(used=now_us)
    )
    return done.rowcount == 1


def failures(conn: Connection, buckets: list[str]) -> dict[str, Row[Any]]:
    found = conn.execute(select(throttle).where(throttle.c.bucket.in_(buckets)))
    return {row.bucket: row for row in found}


def set_failures(conn: Connection, row: dict[str, Any]) -> None:
    """Replace one counter."""
    conn.execute(delete(throttle).where(throttle.c.bucket == row["bucket"]))
    conn.execute(insert(throttle).values(**row))


def clear_failures(conn: Connection, buckets: list[str]) -> None:
    conn.execute(delete(throttle).where(throttle.c.bucket.in_(buckets)))


def wrapped_key(conn: Connection, name: str) -> Row[Any] | None:
    return conn.execute(select(keyring).where(keyring.c.name == name)).first()


def add_key(conn: Connection, name: str, root_kid: str, wrapped: bytes, now_us: int) -> None:
    conn.execute(
        insert(keyring).values(name=name, root_kid=root_kid, wrapped=wrapped, created=now_us)
    )


def count_users(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(users)).scalar_one())
