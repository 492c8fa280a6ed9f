"""Keys of agents: two live ones at most, secrets only wrapped."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import insert, select
from z4j_brain.agents import service
from z4j_brain.agents.model import agent_keys
from z4j_brain.db import Database
from z4j_brain.db.rootkeys import RootKeys
from z4j_brain.errors import Conflict
from z4j_brain.projects.model import projects
from z4j_core.errors import ConfigError
from z4j_core.wire import parse_key_id, parse_secret

ROOTS = RootKeys(b"a root secret of exactly 32 byte")
PROJECT = "1" * 32


def made(db: Database) -> service.NewKey:
    with db.writing() as conn:
        conn.execute(insert(projects), [{"id": PROJECT, "slug": "shop", "name": "S", "created": 0}])
        return service.create_key(conn, ROOTS, os.urandom, project_id=PROJECT, now_us=1)


def test_a_key_is_shown_once_and_stored_wrapped(db: Database) -> None:
    key = made(db)

    secret = parse_secret(parse_key_id(key.key_id), key.secret)

    with db.reading() as conn:
        wrapped = conn.execute(select(agent_keys.c.wrapped)).scalar_one()
        proof = service.proof_of(conn, ROOTS, key.cred_id, key.kid)
    assert secret.reveal() not in wrapped
    assert proof.secret == secret
    assert proof.reason == ""


def test_a_credential_has_two_live_keys_at_most(db: Database) -> None:
    key = made(db)

    with db.writing() as conn:
        second = service.second_key(conn, ROOTS, os.urandom, key.cred_id, 2)
        with pytest.raises(Conflict):
            service.second_key(conn, ROOTS, os.urandom, key.cred_id, 3)
        service.retire_key(conn, key.cred_id, key.kid, 4)
        third = service.second_key(conn, ROOTS, os.urandom, key.cred_id, 5)

    assert (second.kid, third.kid) == (2, 3)


def test_retired_revoked_and_unknown_keys_get_the_same_kind_of_decoy(db: Database) -> None:
    key = made(db)
    with db.writing() as conn:
        service.revoke_key(conn, key.cred_id, 2)

    with db.reading() as conn:
        revoked = service.proof_of(conn, ROOTS, key.cred_id, key.kid)
        unknown = service.proof_of(conn, ROOTS, "f" * 32, 1)

    assert (revoked.reason, unknown.reason) == ("revoked key", "unknown key")
    assert revoked.secret != parse_secret(parse_key_id(key.key_id), key.secret)


def test_a_wrapped_secret_opens_only_at_its_place() -> None:
    wrapped = ROOTS.wrap("agent_keys|a.1|wrapped", b"secret", os.urandom)

    assert ROOTS.unwrap(ROOTS.kid, "agent_keys|a.1|wrapped", wrapped) == b"secret"
    with pytest.raises(ConfigError):
        ROOTS.unwrap(ROOTS.kid, "agent_keys|b.1|wrapped", wrapped)


def test_what_an_old_root_wrapped_opens_while_it_is_named() -> None:
    wrapped = ROOTS.wrap("place", b"secret", os.urandom)
    rotated = RootKeys(b"another secret of exactly 32 byt", (b"a root secret of exactly 32 byte",))

    assert rotated.unwrap(ROOTS.kid, "place", wrapped) == b"secret"
    with pytest.raises(ConfigError):
        RootKeys(b"another secret of exactly 32 byt").unwrap(ROOTS.kid, "place", wrapped)
