"""Keys of agents over HTTP: two live at most, shown with their use, retired when unused."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import insert, select, update
from z4j_brain.agents.model import agent_keys, agents
from z4j_brain.audit.model import audit_event
from z4j_core.wire import parse_dsn

KEYS = "/api/v1/projects/shop/keys"


@pytest.fixture
def admin(world):
    return world.client("admin")


@pytest.fixture
def first(admin):
    """A key as an admin made it."""
    return admin.post(KEYS, json={"label": "web"}).json()


def second_of(client, key):
    return client.post(f"{KEYS}/{key['cred_id']}/rotate")


def retire(client, key, **body):
    return client.post(f"{KEYS}/{key['cred_id']}/{key['kid']}/retire", json=body)


def connect(world, key):
    """Let it look as if an agent were connected by this key."""
    us = world.clock.us
    with world.brain.db.writing() as conn:
        conn.execute(insert(agents).values(
            project_id=world.shop, stream=os.urandom(16).hex(), session=os.urandom(16).hex(),
            cred_id=key["cred_id"], kid=key["kid"], epoch=1, host="h", pid=1, role="worker",
            connected=True, connected_at=us, last_beat=us,
        ))  # fmt: skip
        used = agent_keys.c.cred_id == key["cred_id"], agent_keys.c.kid == key["kid"]
        conn.execute(update(agent_keys).where(*used).values(last_used=us))


def audited(world):
    with world.brain.db.reading() as conn:
        return conn.execute(select(audit_event).order_by(audit_event.c.pos)).mappings().all()


def test_a_second_key_has_the_next_number_and_a_dsn_of_its_own(admin, first):
    answer = second_of(admin, first)

    made = answer.json()
    one, other = parse_dsn(first["dsn"]), parse_dsn(made["dsn"])
    assert (answer.status_code, made["cred_id"], made["kid"]) == (201, first["cred_id"], 2)
    assert one.credential.cred_id == other.credential.cred_id
    assert one.credential.secret != other.credential.secret
    assert (one.project, other.project) == ("shop", "shop")


def test_a_third_live_key_is_refused_until_one_retires(admin, first):
    second_of(admin, first)

    refused = second_of(admin, first)
    retired = retire(admin, first)
    third = second_of(admin, first)

    assert (refused.status_code, refused.json()["code"]) == (409, "key.two_live")
    assert (retired.status_code, third.json()["kid"]) == (204, 3)


def test_the_list_shows_use_and_sessions_of_each_number_and_no_secret(world, admin, first):
    second = second_of(admin, first).json()
    connect(world, second)

    answer = admin.get(KEYS)

    one, other = answer.json()["items"]
    assert (one["kid"], one["sessions"], one["last_used_at"]) == (1, 0, None)
    assert (other["kid"], other["sessions"]) == (2, 1)
    assert other["last_used_at"] == world.clock.us // 1000
    for key in (first, second):
        assert key["dsn"].split(":")[2].split("@")[0] not in answer.text


def test_a_key_in_use_is_retired_only_by_force_and_says_how_many_use_it(world, admin, first):
    connect(world, first)
    connect(world, first)

    refused = retire(admin, first)
    live = admin.get(KEYS).json()["items"][0]["retired_at"]
    forced = retire(admin, first, force=True)

    assert (refused.status_code, refused.json()["code"]) == (409, "key.in_use")
    assert refused.json()["detail"].startswith("2 agents are connected by this key")
    assert (live, forced.status_code) == (None, 204)
    assert admin.get(KEYS).json()["items"][0]["retired_at"] == world.clock.us // 1000


def test_what_has_ended_is_not_retired_again(admin, first):
    retire(admin, first)

    again = retire(admin, first, force=True)

    assert (again.status_code, again.json()["code"]) == (409, "key.not_live")


@pytest.mark.parametrize("kid", ["2", "0", "999", "1e1", "-1", "%C2%B9", "x"])
def test_a_number_that_is_no_key_is_not_found(admin, first, kid):
    path = f"{KEYS}/{first['cred_id']}/{kid}/retire"

    assert admin.post(path, json={}).status_code == 404


def test_h2_a_key_of_another_project_is_neither_seen_nor_touched(world, first):
    foreign, there = world.client("foreign"), "/api/v1/projects/other/keys"

    answers = [
        foreign.post(f"{there}/{first['cred_id']}/rotate"),
        foreign.post(f"{there}/{first['cred_id']}/1/retire", json={"force": True}),
        foreign.post(f"{there}/{first['cred_id']}/revoke"),
        foreign.post(f"{KEYS}/{first['cred_id']}/rotate"),
    ]

    assert {each.status_code for each in answers} == {404}
    assert foreign.get(there).json()["items"] == []
    assert world.client("admin").get(KEYS).json()["items"][0]["retired_at"] is None


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_h2_only_an_admin_rotates(world, first, role):
    client = world.client(role)

    answers = [second_of(client, first), retire(client, first)]

    assert [(each.status_code, each.json()["action"]) for each in answers] == [
        (403, "agent_key.rotate")
    ] * 2


def test_h3_another_site_rotates_nothing(world, first):
    for headers in ({"X-Z4J": ""}, {"Origin": "https://evil.test"}):
        client = world.client("admin", **headers)
        answers = [second_of(client, first), retire(client, first, force=True)]
        assert {each.json()["code"] for each in answers} == {"request.cross_site"}

    assert [key["kid"] for key in world.client("admin").get(KEYS).json()["items"]] == [1]


def test_h32_rotating_needs_a_fresh_proof(world, admin, first):
    world.clock.advance(601)

    answers = [second_of(admin, first), retire(admin, first)]

    assert {each.json()["code"] for each in answers} == {"auth.step_up"}
    assert len(admin.get(KEYS).json()["items"]) == 1


def test_each_act_is_one_row_with_who_when_and_which_number_and_never_a_secret(world, admin, first):
    world.clock.advance(60)
    second = second_of(admin, first).json()
    connect(world, first)
    world.clock.advance(60)
    retire(admin, first, force=True)

    rows = audited(world)
    assert [(row["action"], row["actor"], row["via"], row["at"]) for row in rows] == [
        ("agent_key.create", "admin", "ui", world.clock.us - 120_000_000),
        ("agent_key.rotate", "admin", "ui", world.clock.us - 60_000_000),
        ("agent_key.retire", "admin", "ui", world.clock.us),
    ]
    assert {row["target"] for row in rows} == {f"key {first['cred_id']}"}
    assert [row["detail"] for row in rows] == [
        {"kid": 1, "role": "agent"}, {"kid": 2}, {"kid": 1, "force": True, "sessions": 1},
    ]  # fmt: skip
    for key in (first, second):
        assert key["dsn"].split(":")[2].split("@")[0] not in str([dict(row) for row in rows])


def test_a_refused_act_leaves_no_row(world, admin, first):
    connect(world, first)
    retire(admin, first)

    assert [row["action"] for row in audited(world)] == ["agent_key.create"]


def test_a_key_for_a_scheduler_says_so_and_so_does_its_second_number(world, admin):
    made = admin.post(KEYS, json={"label": "central", "role": "scheduler"}).json()
    second_of(admin, made)

    rows = admin.get(KEYS).json()["items"]
    assert [row["role"] for row in rows] == ["scheduler", "scheduler"]
    created = [row for row in audited(world) if row["action"] == "agent_key.create"]
    assert created[-1]["detail"]["role"] == "scheduler"


def test_there_is_no_other_role(admin):
    assert admin.post(KEYS, json={"role": "owner"}).status_code in (400, 422)
