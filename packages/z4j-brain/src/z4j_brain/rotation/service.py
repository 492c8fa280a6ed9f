"""Replacing the root secret. The rule: written with what every running brain can read.

A new root wraps rows once all brains know it; then the rows of the old ones are wrapped anew.
Sessions of agents and people notice nothing: none of their keys is derived from a root.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection
from z4j_core.errors import ConfigError

from ..audit.service import Entry, last_target, record
from ..db.rootkeys import Entropy, RootKeys
from ..web.context import new_id
from . import store

LIVE_US = 60_000_000
ROTATED = "secret.rotate"
BY_SETTINGS = "brain"
_log = logging.getLogger("z4j.rotation")


def check_roots(conn: Connection, roots: RootKeys) -> None:
    """See that every row can be read; nothing is changed.

    Raises:
        ConfigError: rows need a root that is not configured.
    """
    missing: dict[str, list[str]] = defaultdict(list)
    for (kid, table), number in sorted(store.counts(conn).items()):
        if kid not in roots.kids:
            missing[kid].append(f"{number} of {table}")
    if missing:
        rows = "; ".join(f"root {kid}: {', '.join(of)}" for kid, of in missing.items())
        raise ConfigError(
            "Z4J-E603",
            f"rows need a root secret that is not configured ({rows}). Nothing was changed: "
            "add that secret to Z4J_PREVIOUS_SECRETS, and remove it only when "
            "`z4j secret status` shows no rows for it",
        )


def status(conn: Connection, roots: RootKeys) -> dict[str, int]:
    """How many rows need each configured root, the current one first."""
    found = dict.fromkeys(roots.kids, 0)
    for (kid, _), number in store.counts(conn).items():
        found[kid] = found.get(kid, 0) + number
    return found


def learn(conn: Connection, roots: RootKeys, secrets: Sequence[bytes]) -> bool:
    """Go over to these roots, the current one first; False when they are the ones in use.

    Raises:
        ConfigError: rows need a root that is not among them; nothing was changed.
    """
    fresh = RootKeys(secrets[0], secrets[1:])
    if fresh.kids == roots.kids:
        return False
    check_roots(conn, fresh)
    roots.learn(secrets[0], secrets[1:])
    return True


def tell(conn: Connection, roots: RootKeys, entropy: Entropy, now_us: int, actor: str) -> None:
    """Write down once that the current root replaced another one, whoever noticed first."""
    target = f"root {roots.current}"
    if last_target(conn, ROTATED) != target:
        via = "cli" if actor != BY_SETTINGS else "settings"
        older = [kid for kid in roots.kids if kid != roots.current]
        entry = Entry(ROTATED, actor, via, None, target, detail={"previous": older})
        record(conn, new_id(now_us, entropy), now_us, entry)


def choose(conn: Connection, roots: RootKeys, now_us: int) -> None:
    """Write with the newest root that all running brains can read."""
    running = store.known_kids(conn, now_us - LIVE_US)
    shared = [kid for kid in roots.kids if all(kid in known for known in running)]
    roots.write_with(shared[0] if shared else roots.current)


def arrive(conn: Connection, roots: RootKeys, replica: str, now_us: int) -> None:
    """Join the running brains.

    Raises:
        ConfigError: rows need a root that is not configured.
    """
    store.alone(conn)
    check_roots(conn, roots)
    store.beat(conn, replica, roots.kids, now_us)
    choose(conn, roots, now_us)


def leave(conn: Connection, replica: str, now_us: int) -> None:
    """This brain ends, so nobody need care any more what it can read."""
    store.gone(conn, replica, now_us - 10 * LIVE_US)


def turn(
    conn: Connection, roots: RootKeys, entropy: Entropy, replica: str, now_us: int, limit: int
) -> int:
    """Beat, then wrap up to `limit` rows of older roots anew; returns how many."""
    store.alone(conn)
    store.beat(conn, replica, roots.kids, now_us)
    choose(conn, roots, now_us)
    if roots.kid != roots.current:
        return 0
    done = 0
    for wrapped in store.WRAPPED:
        for row in store.foreign(conn, wrapped.table, roots.kid, limit - done):
            place = wrapped.place(row)
            try:
                plain = roots.unwrap(row.root_kid, place, row.wrapped)
            except ConfigError as error:
                _log.warning("%s; it stays as it is", error)
                continue
            fresh = roots.wrap(place, plain, entropy, roots.kid)
            store.replace(conn, wrapped.table, row, roots.kid, fresh)
            done += 1
    if done:
        tell(conn, roots, entropy, now_us, BY_SETTINGS)
    return done
