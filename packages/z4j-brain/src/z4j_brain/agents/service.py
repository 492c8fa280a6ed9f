"""Keys of agents: made, shown once, looked up, retired. The rule: at most two live keys each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection
from z4j_core.wire.keys import Credential, KeyId, Secret, decoy_secret, encode_key_id, encode_secret

from ..db.rootkeys import Entropy, RootKeys
from ..errors import Conflict, NotFound
from . import store
from .store import KeyRow

AGENT, SCHEDULER = "agent", "scheduler"
ROLES = (AGENT, SCHEDULER)
"""What a credential may do: all that agents do, or lead groups and name slots that are due."""
LIVE_KEYS = 2
MAX_REVOKED = 4_000
_LAST_KID = 255


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as people copy it; the secret is not kept anywhere in the clear."""

    cred_id: str
    kid: int
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the handshake needs: a secret to prove, and whether the key behind it is live."""

    secret: Secret
    key: KeyRow | None
    reason: str = ""


class Holder(NamedTuple):
    """Whom a credential is for: agents, or a scheduler that runs by itself."""

    label: str = ""
    role: str = AGENT


AGENTS = Holder()


def create_key(
    conn: Connection,
    roots: RootKeys,
    entropy: Entropy,
    *,
    project_id: str,
    now_us: int,
    holder: Holder = AGENTS,
) -> NewKey:
    """Make the first key of a new credential."""
    row = {"project_id": project_id, "created": now_us, **holder._asdict()}
    return _add(conn, roots, entropy, row | {"cred_id": entropy(16).hex(), "kid": 1})


def key_labelled(
    conn: Connection, roots: RootKeys, project_id: str, role: str, label: str
) -> NewKey | None:
    """The newest live key of a role and label, with its secret; None for none."""
    rows = [
        row
        for row in store.keys(conn, project_id)
        if (row.role, row.label) == (role, label) and not _why_not(row)
    ]
    if not rows:
        return None
    row = rows[-1]
    key_id = KeyId(bytes.fromhex(row.cred_id), row.kid)
    secret = Secret(roots.unwrap(row.root_kid, place_of(row.cred_id, row.kid), row.wrapped))
    return NewKey(row.cred_id, row.kid, encode_key_id(key_id), encode_secret(key_id, secret))


def second_key(
    conn: Connection, roots: RootKeys, entropy: Entropy, cred_id: str, now_us: int
) -> NewKey:
    """Make one more live key of a credential, so that it can be rotated under running agents.

    Raises:
        NotFound: no such credential.
        Conflict: it has two live keys, or has used up its numbers.
    """
    known = store.kids(conn, cred_id)
    if not known:
        raise NotFound("key.not_found")
    first = store.key(conn, cred_id, known[0][0])
    assert first is not None
    row = {
        "cred_id": cred_id,
        "kid": _next_kid(known),
        "project_id": first.project_id,
        "role": first.role,
        "label": first.label,
        "created": now_us,
    }
    return _add(conn, roots, entropy, row)


def list_keys(conn: Connection, project_id: str) -> list[KeyRow]:
    """All keys of a project; the wrapped secrets are of no use to a reader."""
    return store.keys(conn, project_id)


def sessions_by_key(conn: Connection, project_id: str) -> dict[tuple[str, int], int]:
    """How many agents are connected by each (cred_id, kid): 0 means that it can be retired."""
    return store.sessions(conn, project_id)


def retire_key(
    conn: Connection, cred_id: str, kid: int, now_us: int, *, force: bool = False
) -> int:
    """Let nobody start a session with this key any more; its sessions end within 5 s.

    Returns how many agents are connected by it, which is more than 0 only with `force`.

    Raises:
        NotFound: no such key.
        Conflict: agents are connected by it, or it is not live any more; nothing is changed.
    """
    row = store.key(conn, cred_id, kid)
    if row is None:
        raise NotFound("key.not_found", "no such key")
    if _why_not(row):
        raise Conflict("key.not_live", f"this is a {_why_not(row)} already")
    here = store.sessions(conn, row.project_id).get((cred_id, kid), 0)
    if here and not force:
        many = f"{here} agents are" if here > 1 else "1 agent is"
        text = f"{many} connected by this key: give them the new DSN first, or force it"
        raise Conflict("key.in_use", text, sessions=here)
    store.stamp(conn, cred_id, kid, retired=now_us)
    return here


def revoke_key(conn: Connection, cred_id: str, now_us: int, kid: int | None = None) -> None:
    """End a key, or all keys of a credential, at once.

    Raises:
        NotFound: no such key.
    """
    if not store.stamp(conn, cred_id, kid, revoked=now_us):
        raise NotFound("key.not_found")


def proof_of(conn: Connection, roots: RootKeys, cred_id: str, kid: int) -> Proof:
    """The secret behind a key, or a decoy that costs a stranger as much and tells nothing."""
    row = store.key(conn, cred_id, kid)
    reason = _why_not(row)
    if row is None or reason:
        decoy = decoy_secret(roots.derive("decoy"), KeyId(bytes.fromhex(cred_id), kid))
        return Proof(decoy, row, reason)
    secret = roots.unwrap(row.root_kid, place_of(cred_id, kid), row.wrapped)
    return Proof(Secret(secret), row)


def live_credentials(conn: Connection, roots: RootKeys, project_id: str) -> list[Credential]:
    """Every key of a project that may start sessions, with its secret."""
    return [
        Credential(
            bytes.fromhex(row.cred_id), row.kid,
            Secret(roots.unwrap(row.root_kid, place_of(row.cred_id, row.kid), row.wrapped)),
        )
        for row in store.keys(conn, project_id)
        if not _why_not(row)
    ]  # fmt: skip


def slug_and_revoked(conn: Connection, project_id: str) -> tuple[str, list[tuple[bytes, int]]]:
    """The project's slug, and its keys that must not be believed any more."""
    rows = store.keys(conn, project_id)
    revoked = [(bytes.fromhex(row.cred_id), row.kid) for row in rows if row.revoked is not None]
    return rows[0].slug if rows else "", revoked[-MAX_REVOKED:]


def is_live(conn: Connection, cred_id: str, kid: int) -> bool:
    """Whether sessions of this key may go on."""
    return not _why_not(store.key(conn, cred_id, kid))


def _why_not(row: KeyRow | None) -> str:
    if row is None:
        return "unknown key"
    if row.revoked is not None:
        return "revoked key"
    return "retired key" if row.retired is not None else ""


def _add(conn: Connection, roots: RootKeys, entropy: Entropy, row: dict[str, Any]) -> NewKey:
    cred_id, kid = row["cred_id"], row["kid"]
    key_id, secret = KeyId(bytes.fromhex(cred_id), kid), Secret(entropy(32))
    root = roots.kid
    wrapped = roots.wrap(place_of(cred_id, kid), secret.reveal(), entropy, root)
    store.add(conn, row | {"wrapped": wrapped, "root_kid": root})
    return NewKey(cred_id, kid, encode_key_id(key_id), encode_secret(key_id, secret))


def _next_kid(known: list[tuple[int, bool]]) -> int:
    if sum(live for _, live in known) >= LIVE_KEYS:
        raise Conflict("key.two_live", "retire one of the two live keys first")
    last = max((kid for kid, _ in known), default=0)
    if last >= _LAST_KID:
        raise Conflict("key.used_up", "this credential has had 255 keys: make a new one")
    return last + 1


def place_of(cred_id: str, kid: int) -> str:
    """What the wrapped secret of a key is bound to."""
    return f"agent_keys|{cred_id}.{kid}|wrapped"


class Superseded(Exception):
    """Somebody holds this stream with a newer epoch, or it belongs to another credential."""


def claim_stream(conn: Connection, stream: str, project_id: str, cred_id: str, epoch: int) -> None:
    """Take a stream under an epoch that is not older than the newest.

    Raises:
        Superseded: the caller must not send for this stream.
    """
    known = store.owner(conn, stream)
    if known is not None:
        if known[:2] != (project_id, cred_id) or epoch < known[2]:
            raise Superseded
        if epoch == known[2]:
            return
    store.own(conn, stream, project_id, cred_id, epoch)


def remember_refused(conn: Connection, row: dict[str, Any]) -> None:
    """Keep a refused attempt for the keys page."""
    store.add_refused(conn, row)


def open_segments(
    conn: Connection, project_id: str, cred_id: str, rows: list[dict[str, Any]], now_us: int
) -> list[int]:
    """Open segments for sending; returns the watermark of each.

    Raises:
        Superseded: one of the streams has a newer owner; none was opened.
    """
    marks = []
    for row in rows:
        claim_stream(conn, row["stream"], project_id, cred_id, row["epoch"])
        times = {"opened": now_us, "touched": now_us}
        marks.append(
            store.open_segment(conn, row | times | {"project_id": project_id, "cred_id": cred_id})
        )
    return marks


def end_segments(conn: Connection, places: list[tuple[str, int, str]], now_us: int) -> None:
    """Segments the agent has deleted after their last acknowledgement."""
    store.end_segments(conn, places, now_us)


def register_agent(conn: Connection, row: dict[str, Any], now_us: int) -> None:
    """Store a new session of a stream and that its key is in use."""
    store.put_agent(conn, row)
    note_use(conn, row["cred_id"], row["kid"], now_us)


def note_use(conn: Connection, cred_id: str, kid: int, now_us: int) -> None:
    """Store that a key was proven just now."""
    store.stamp(conn, cred_id, kid, last_used=now_us)


def change_agent(conn: Connection, session: str, values: dict[str, Any]) -> None:
    """Change what is known of a session, if it is still the newest of its stream."""
    store.change_agents(conn, session, **values)


def dead_keys(conn: Connection, keys: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """Those of `keys` that are retired, revoked or gone."""
    return keys - store.live_keys(conn, {cred_id for cred_id, _ in keys})


def forget_sessions(conn: Connection, before_us: int) -> None:
    """After a start: sessions that have not beaten since `before_us` are not connected."""
    store.disconnect_silent(conn, before_us)
