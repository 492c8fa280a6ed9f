"""API tokens: made in a session, shown once, never more than their maker, ended at once."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from z4j_brain.auth.model import api_tokens
from z4j_brain.web.rights import STEP_UP

TOKENS = "/api/v1/tokens"
LIST = "/api/v1/projects/shop/tasks"


def make(client, **body):
    return client.post(TOKENS, json={"project": "shop"} | body)


def bearer(world, token):
    return world.client(Authorization=f"Bearer {token}")


def test_h24_a_token_is_shown_once_and_only_its_hash_is_stored(world):
    client = world.client("operator")
    made = make(client, label="ci").json()

    listed = client.get(TOKENS).json()["items"]
    with world.brain.db.reading() as conn:
        (row,) = conn.execute(select(api_tokens)).mappings()
    assert re.fullmatch(r"z4jt_\w{8}_\w{43}_\w{6}", made["token"])
    assert [each["label"] for each in listed] == ["ci"]
    assert made["token"] not in str(listed) + str(dict(row))
    assert made["expires_at"] == world.clock.us // 1000 + 90 * 86_400_000
    assert bearer(world, made["token"]).get(LIST).status_code == 200


def test_h24_without_scopes_it_may_what_its_maker_may_but_not_what_needs_a_proof(world):
    scopes = set(make(world.client("admin")).json()["scopes"])

    assert {"task.read", "task.retry", "task.args.read"} <= scopes
    assert not scopes & STEP_UP


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scopes": ["queue.purge"]}, 403),
        ({"scopes": ["task.fly"]}, 422),
        ({"scopes": []}, 422),
        ({"days": 0}, 422),
        ({"days": 366}, 422),
        ({"project": "other"}, 404),
        ({"more": 1}, 422),
    ],
)
def test_h24_nobody_makes_more_than_they_may(world, body, status):
    assert make(world.client("operator"), **body).status_code == status


def test_h24_what_needs_a_proof_lasts_thirty_days_at_most(world):
    client = world.client("admin")

    assert make(client, scopes=["queue.purge"]).status_code == 422
    assert make(client, scopes=["queue.purge"], days=30).status_code == 201


def test_h24_it_loses_what_its_maker_loses(world):
    token = make(world.client("operator")).json()["token"]
    with world.brain.db.writing() as conn:
        conn.exec_driver_sql(f"DELETE FROM members WHERE user_id = '{world.users['operator']}'")

    assert bearer(world, token).get(LIST).status_code == 404


def test_h24_a_revoked_token_ends_at_once_and_only_its_maker_ends_it(world):
    made = make(world.client("operator")).json()
    path = f"{TOKENS}/{made['id']}/revoke"

    stranger = world.client("admin").post(path).status_code
    own = world.client("operator").post(path).status_code

    assert (stranger, own) == (404, 204)
    assert bearer(world, made["token"]).get(LIST).status_code == 401


def test_h24_a_token_makes_no_token_and_ends_only_itself(world):
    first, second = (make(world.client("operator")).json() for _ in range(2))
    client = bearer(world, first["token"])

    assert make(client).status_code == 403
    assert client.get(TOKENS).status_code == 403
    assert client.post(f"{TOKENS}/{second['id']}/revoke").status_code == 403
    assert client.post(f"{TOKENS}/{first['id']}/revoke").status_code == 204


def test_making_one_needs_a_fresh_proof(world):
    client = world.client("operator")
    world.clock.advance(601)

    assert make(client).json()["code"] == "auth.step_up"


def test_its_last_use_is_noted_not_more_than_once_a_minute(world):
    made = make(world.client("operator")).json()
    client = bearer(world, made["token"])
    client.get(LIST)
    first = world.clock.us
    world.clock.advance(30)
    client.get(LIST)

    with world.brain.db.reading() as conn:
        assert conn.execute(select(api_tokens.c.last_used)).scalar() == first


def test_what_it_does_is_audited_under_its_makers_name(world):
    make(world.client("operator"))

    with world.brain.db.reading() as conn:
        rows = conn.exec_driver_sql("SELECT action, actor FROM audit_event").all()
    assert ("token.create", "operator") in [tuple(row) for row in rows]
