"""Schedules declared in a file: compared, applied, kept apart from what people edit here."""

from __future__ import annotations

import pytest

from .conftest import PLACE

BILL = {"task": "shop.bill", "specs": [{"kind": "cron", "expr": "0 2 * * *"}], "queue": "slow"}
POLL = {"task": "shop.poll", "specs": [{"kind": "interval", "every": 30}]}


def declare(desk, schedules=None, verb="apply", role="operator", **more):
    body = PLACE | {"tag": "shop", "schedules": schedules or {"bill": BILL, "poll": POLL}} | more
    return desk.post(f"schedules/{verb}", body, role)


def applied(desk, schedules=None, **more):
    answer = declare(desk, schedules, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def named(desk, name):
    (found,) = desk.get("schedules", q=f"name:{name}")["items"]
    return found


def test_a_set_is_made_once_and_the_second_time_changes_nothing_and_leaves_no_trace(desk):
    first = applied(desk)
    revision = desk.get("schedules/groups")["items"][0]["revision"]
    again = applied(desk)

    assert (first["create"], first["unchanged"]) == (["bill", "poll"], 0)
    assert again | {"warnings": []} == {
        "create": [], "change": [], "prune": [], "drift": [], "unchanged": 2, "warnings": [],
    }  # fmt: skip
    assert named(desk, "bill")["owner"] == "declarative:shop"
    assert [row.action for row in desk.audited()] == ["schedule.apply"]
    assert desk.get("schedules/groups")["items"][0]["revision"] == revision


def test_a_comparison_says_what_applying_would_do_and_does_nothing(desk):
    applied(desk)
    changed = {"bill": BILL | {"queue": "fast"}, "mail": POLL}

    said = declare(desk, changed, "diff").json()

    assert (said["create"], said["prune"]) == (["mail"], ["poll"])
    assert said["change"] == [
        {"name": "bill", "fields": [{"field": "queue", "before": "slow", "after": "fast"}]}
    ]
    assert named(desk, "bill")["queue"] == "slow"
    assert [row.action for row in desk.audited()] == ["schedule.apply"]


def test_what_was_edited_here_is_drift_and_stays_while_the_rest_follows_the_file(desk):
    applied(desk)
    desk.edit(named(desk, "bill"), queue="urgent")

    said = applied(desk, {"bill": BILL | {"grace_s": 5}, "poll": POLL})

    bill = named(desk, "bill")
    assert (bill["queue"], bill["grace_s"]) == ("urgent", 5)
    assert said["drift"] == [
        {"name": "bill", "field": "queue", "declared": "slow", "now": "urgent"}
    ]
    assert bill["drift"] == [{"field": "queue", "declared": "slow", "now": "urgent"}]


def test_drift_is_overwritten_or_refused_when_that_is_asked(desk):
    applied(desk)
    desk.edit(named(desk, "bill"), queue="urgent")

    refused = declare(desk, on_drift="fail")
    kept = named(desk, "bill")["queue"]
    applied(desk, on_drift="overwrite")

    assert (refused.status_code, refused.json()["code"]) == (409, "schedule.drift")
    assert kept == "urgent"
    assert named(desk, "bill")["queue"] == "slow"
    assert named(desk, "bill")["drift"] == []


def test_enabled_and_paused_belong_to_operators_unless_declared(desk):
    applied(desk)
    desk.edit(named(desk, "bill"), enabled=False)
    desk.post(f"schedules/{named(desk, 'poll')['id']}/pause")

    applied(desk, {"bill": BILL | {"grace_s": 7}, "poll": POLL})
    kept = named(desk, "bill")
    applied(
        desk, {"bill": BILL | {"grace_s": 7, "enabled": True}, "poll": POLL}, on_drift="overwrite"
    )

    assert (kept["enabled"], kept["grace_s"]) == (False, 7)
    assert named(desk, "poll")["paused"] is not None
    assert named(desk, "bill")["enabled"]


def test_what_is_not_declared_any_more_is_disabled_and_comes_back_when_it_is_again(desk):
    applied(desk)
    gone = applied(desk, {"bill": BILL})
    twice = applied(desk, {"bill": BILL})
    off = named(desk, "poll")

    applied(desk)

    assert (gone["prune"], twice["prune"]) == (["poll"], [])
    assert not off["enabled"]
    assert named(desk, "poll")["enabled"]
    assert named(desk, "poll")["id"] == off["id"]


def test_only_an_admin_prunes_by_deleting_and_nobody_prunes_what_others_own(desk):
    applied(desk)
    desk.add(name="by-hand")
    applied(desk, {"other": POLL}, tag="other")

    refused = declare(desk, {"bill": BILL}, prune="delete")
    deleted = declare(desk, {"bill": BILL}, role="admin", prune="delete").json()

    assert (refused.status_code, refused.json()["code"]) == (403, "auth.role")
    assert deleted["prune"] == ["poll"]
    names = [each["name"] for each in desk.get("schedules")["items"]]
    assert names == ["bill", "by-hand", "other"]


def test_a_fault_in_one_schedule_is_pointed_at_and_nothing_of_the_set_is_done(desk):
    wrong = {"bill": BILL, "po/ll": POLL | {"specs": [{"kind": "cron", "expr": "x"}]}}

    answer = declare(desk, wrong)

    assert answer.status_code == 422
    assert answer.json()["pointer"] == "/schedules/po~1ll/specs/0/expr"
    assert desk.get("schedules")["total"] == 0


def test_a_name_somebody_else_has_is_refused(desk):
    desk.add(name="bill")

    answer = declare(desk)

    assert (answer.status_code, answer.json()["code"]) == (422, "schedule.name_taken")


def test_the_only_group_need_not_be_named_and_of_two_none_is_guessed(desk):
    desk.connect()
    body = {"tag": "shop", "schedules": {"bill": BILL}}
    one = desk.post("schedules/apply", body)
    desk.connect(apps=[{"engine": "rq", "app": "redis/1", "verbs": {}}])
    two = desk.post("schedules/apply", body)

    assert one.status_code == 200
    assert (named(desk, "bill")["engine"], named(desk, "bill")["app"]) == ("celery", "redis/0")
    assert (two.status_code, two.json()["code"]) == (422, "schedule.group")


def test_a_declared_invocation_needs_no_more_than_the_level_control(desk):
    desk.connect(policy="control")
    applied(desk)

    assert named(desk, "bill")["can"]["fire"]["ok"]
    edited = desk.edit(named(desk, "bill"), kwargs={"dry": True}).json()
    assert edited["can"]["fire"]["code"] == "policy.args_not_registered"


@pytest.mark.parametrize("verb", ["diff", "apply"])
def test_a_viewer_compares_and_does_not_apply(desk, verb):
    answer = declare(desk, verb=verb, role="viewer")

    assert answer.status_code == (200 if verb == "diff" else 403)
