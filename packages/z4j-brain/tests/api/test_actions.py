"""Actions over HTTP: previewed, confirmed, undone; never beyond the project or the role."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select
from z4j_brain.agents.model import agents
from z4j_brain.audit.model import audit_event
from z4j_brain.commands.model import bulk_items, commands

P = "/api/v1/projects/shop"


@pytest.fixture
def shop(world):
    """Three failed tasks that can be retried, one that cannot, and one of another project."""
    failed = {"state": 8, "replayable_until": 2**60}
    world.refs = world.add_tasks(failed, failed, failed, {"state": 8})
    world.foreign = world.add_tasks(failed, project=world.other)
    us = world.clock.us
    with world.brain.db.writing() as conn:
        conn.execute(insert(agents).values(
            project_id=world.shop, stream="a" * 32, session="b" * 32, cred_id="c" * 32, kid=1,
            epoch=1, host="h", pid=1, role="agent", policy="all", connected=True,
            connected_at=us, last_beat=us,
            apps=[{"engine": "celery", "app": "redis/0", "engine_version": "5.6",
                   "adapter_version": "2", "sources": [], "unavailable": {},
                   "verbs": {"retry": 1, "cancel": 1, "terminate": 2, "enqueue": 1}}],
        ))  # fmt: skip
    return world


def preview(client, **body):
    answer = client.post(f"{P}/bulk/preview", json={"action": "retry", "range": "all"} | body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(world, table):
    with world.brain.db.reading() as conn:
        return conn.execute(select(table)).mappings().all()


def test_a_previewed_retry_is_confirmed_held_undone_and_audited(shop):
    client = shop.client("operator")

    shown = preview(client, q="state:failed")
    held = client.post(f"{P}/bulk", json={"preview_id": shown["preview_id"], "reason": "again"})
    bulk = held.json()
    undone = client.post(f"{P}/bulk/{bulk['id']}/undo")

    assert shown["total"] == 4
    assert shown["per_engine"][0]["will"] == 3
    assert [each["code"] for each in shown["per_engine"][0]["skipped"]] == ["replay.missing"]
    assert (held.status_code, bulk["state"], bulk["by"]) == (202, "held", "operator")
    assert bulk["hold_until_at"] == shop.clock.us // 1000 + 8_000
    assert (undone.status_code, undone.json()["state"]) == (200, "undone")
    assert rows(shop, commands) == []
    assert {each["actor"] for each in rows(shop, audit_event)} == {"operator"}
    assert len(rows(shop, audit_event)) >= 2


def test_c12_p10_a_foreign_task_inside_a_bulk_is_unknown_and_untold(shop):
    shown = preview(shop.client("admin"), refs=[*shop.refs[:1], *shop.foreign])

    assert shown["total"] == 1
    assert shop.foreign[0] not in str(shown)
    assert all(each["ref"] != shop.foreign[0] for each in rows(shop, bulk_items))


def test_a_bulk_of_another_project_cannot_be_touched_by_its_id(shop):
    mine = preview(shop.client("admin"), q="state:failed")["preview_id"]
    foreign = shop.client("foreign")
    other = "/api/v1/projects/other"

    answers = [
        foreign.get(f"{other}/bulk/{mine}"), foreign.get(f"{other}/bulk/{mine}/items"),
        foreign.post(f"{other}/bulk", json={"preview_id": mine}),
        *(foreign.post(f"{other}/bulk/{mine}/{verb}")
          for verb in ("undo", "now", "pause", "resume", "abort", "retry-failed")),
    ]  # fmt: skip

    assert {each.status_code for each in answers} == {404}


@pytest.mark.parametrize(
    ("role", "action", "status"),
    [
        ("viewer", "retry", 403), ("auditor", "retry", 403), ("operator", "retry", 200),
        ("operator", "purge", 403), ("operator", "pool", 403), ("viewer", "cancel", 403),
        ("operator", "cancel", 200), ("viewer", "enqueue", 403),
    ],
)  # fmt: skip
def test_h2_an_action_is_open_to_the_roles_of_its_own_right(shop, role, action, status):
    body = {"action": action, "refs": shop.refs}
    if action in {"purge", "pool"}:
        body = {"action": action, "targets": [{"engine": "celery", "queue": "pay"}]}

    assert shop.client(role).post(f"{P}/bulk/preview", json=body).status_code == status


def test_h2_a_viewer_cannot_confirm_what_an_operator_previewed(shop):
    shown = preview(shop.client("operator"), q="state:failed")

    answer = shop.client("viewer").post(f"{P}/bulk", json={"preview_id": shown["preview_id"]})

    assert (answer.status_code, answer.json()["code"]) == (403, "auth.role")


def test_h32_terminate_needs_a_fresh_proof(shop):
    shop.add_tasks({"state": 3, "task_id": "running-1"})
    client = shop.client("operator")
    shop.clock.advance(601)
    shown = preview(client, action="terminate", q="state:running")

    body = {"preview_id": shown["preview_id"], "reason": "stuck", "typed": "1"}
    answer = client.post(f"{P}/bulk", json=body)

    assert shown["needs"]["step_up"] is True
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.step_up")


def test_the_password_typed_again_is_a_fresh_proof_and_a_wrong_one_is_not(shop):
    shop.add_tasks({"state": 3, "task_id": "running-1"})
    shop.password("operator", "correct horse battery")
    client = shop.client("operator")
    shop.clock.advance(601)
    shown = preview(client, action="terminate", q="state:running")
    body = {"preview_id": shown["preview_id"], "reason": "stuck", "typed": "1"}

    wrong = client.post("/api/v1/auth/step-up", json={"password": "wrong horse battery"})
    refused = client.post(f"{P}/bulk", json=body)
    right = client.post("/api/v1/auth/step-up", json={"password": "correct horse battery"})
    taken = client.post(f"{P}/bulk", json=body)

    assert (wrong.status_code, refused.status_code) == (401, 403)
    assert (right.status_code, taken.status_code) == (204, 202)


def test_without_the_right_to_arguments_they_do_not_select_targets(shop):
    shop.add_tasks({"state": 8, "args": '["tok_1"]', "replayable_until": 2**60})
    client = shop.client("operator")

    assert preview(client, q="arg.0:tok_1")["total"] == 1
    answer = shop.client("viewer").post(
        f"{P}/bulk/preview", json={"action": "retry", "q": "arg.0:tok_1"}
    )
    assert answer.status_code in {403, 422}


def test_the_same_key_confirms_once(shop):
    client = shop.client("operator", **{"Idempotency-Key": "k-1"})
    body = {"preview_id": preview(client, q="state:failed")["preview_id"]}

    first, second = (client.post(f"{P}/bulk", json=body) for _ in range(2))

    assert first.json()["id"] == second.json()["id"]
    assert len(client.get(f"{P}/bulk").json()["items"]) == 1


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [('["[redacted]"]', "{}"), ("[" * 17 + "]" * 17, "{}"), (f'["{"x" * 70_000}"]', "{}"),
     ("{}", "{}"), ("[NaN]", "{}"), ("[1", "{}"), ("[]", '{"a": "[redacted]"}')],
)  # fmt: skip
def test_c8_c13_typed_arguments_are_bounded_json_and_never_masked(shop, args, kwargs):
    params = {"engine": "celery", "app": "redis/0", "task": "shop.charge",
              "args": args, "kwargs": kwargs}  # fmt: skip

    answer = shop.client("operator").post(
        f"{P}/bulk/preview", json={"action": "enqueue", "params": params}
    )

    assert answer.status_code == 422, answer.text
