"""Schedules made and changed over HTTP: revisions, generations, conflicts, rights, audit."""

from __future__ import annotations

from uuid import UUID

import pytest

from .conftest import NIGHTLY, POLL


def test_a_new_schedule_is_shown_whole_with_its_words_and_its_next_slot(desk):
    answer = desk.post("schedules", NIGHTLY)

    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert UUID(made["id"]).version == 7
    assert (made["generation"], made["revision"], made["owner"]) == (1, 1, "ui")
    assert (made["kwargs"], made["catchup"], made["grace_s"]) == ({"dry": False}, "fire_one", 60)
    assert "02:00" in made["words"]
    assert made["next_slot_ms"] > desk.world.clock.us // 1000
    assert made["next_due_ms"] == made["next_slot_ms"]
    assert desk.again(made) == made


def test_editing_what_is_sent_keeps_the_generation_and_editing_the_time_raises_it(desk):
    made = desk.add()

    args = desk.edit(made, kwargs={"dry": True}).json()
    desk.world.clock.advance(5)
    time = desk.edit(args, specs=[{"kind": "cron", "expr": "0 3 * * *"}]).json()

    assert (args["generation"], args["revision"]) == (1, 2)
    assert (time["generation"], time["revision"]) == (2, 3)
    assert "03:00" in time["words"]


def test_revisions_count_per_group_and_rise_with_every_edit(desk):
    first, second = desk.add(), desk.add(name="other")
    elsewhere = desk.add(name="nightly", engine="rq", app="redis/1")

    third = desk.edit(first, queue="slow").json()

    assert [each["revision"] for each in (first, second, third, elsewhere)] == [1, 2, 3, 1]


def test_an_edit_that_changes_nothing_writes_nothing(desk):
    made = desk.add()

    same = desk.edit(made, kwargs={"dry": False}).json()

    assert same["revision"] == made["revision"]
    assert [row.action for row in desk.audited()] == ["schedule.create"]


def test_an_edit_without_a_revision_is_refused(desk):
    made = desk.add()

    answer = desk.ask("PATCH", f"schedules/{made['id']}", json={"queue": "slow"})

    assert (answer.status_code, answer.json()["code"]) == (428, "schedule.precondition")


def test_the_second_of_two_editors_hears_what_each_of_them_changed(desk):
    made = desk.add(queue="fast")
    desk.edit(made, queue="slow", grace_s=90)

    answer = desk.edit(made, queue="mail", priority=3)

    said = answer.json()
    assert (answer.status_code, said["code"], said["revision"]) == (412, "schedule.conflict", 2)
    assert said["fields"] == [
        {"field": "grace_s", "base": 60, "yours": 60, "theirs": 90},
        {"field": "priority", "base": None, "yours": 3, "theirs": None},
        {"field": "queue", "base": "fast", "yours": "mail", "theirs": "slow"},
    ]
    assert desk.again(made)["queue"] == "slow"


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"specs": [{"kind": "cron", "expr": "0 25 * * *"}]}, "schedule.cron_syntax",
         "/specs/0/expr"),
        ({"specs": []}, "schedule.bounds", "/specs"),
        ({"grace_s": "long"}, "schedule.bounds", "/grace_s"),
        ({"colour": "red"}, "schedule.bounds", "/colour"),
        ({"calendars": [{"ref": "feasts"}]}, "schedule.calendar", "/calendars/0/ref"),
        ({"kwargs": {"key": "[redacted]"}}, "schedule.masked_value", "/kwargs"),
        ({"args": [2**64]}, "schedule.args", "/args"),
        ({"options": {"task_id": "x"}}, "schedule.option", "/options/task_id"),
        ({"enabled": 1}, "schedule.bounds", "/enabled"),
        ({"name": " nightly"}, "schedule.name", "/name"),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_named_by_its_pointer_with_a_hint(desk, fields, code, pointer):
    answer = desk.post("schedules", NIGHTLY | fields)

    said = answer.json()
    assert (answer.status_code, said["code"], said["pointer"]) == (422, code, pointer)
    assert said["hint"]
    assert said["message"] == said["detail"]
    assert desk.get("schedules")["items"] == []


def test_a_schedule_that_never_fires_is_not_stored(desk):
    spec = {"kind": "once", "at": "2030-01-01T00:00:00Z"}
    answer = desk.post("schedules", NIGHTLY | {"specs": [spec], "exclude": [spec]})

    assert (answer.status_code, answer.json()["code"]) == (422, "schedule.never")


def test_a_name_is_taken_in_its_group_only(desk):
    desk.add()

    taken = desk.post("schedules", NIGHTLY)
    elsewhere = desk.post("schedules", NIGHTLY | {"app": "redis/1"})

    assert (taken.status_code, taken.json()["code"]) == (409, "schedule.name_taken")
    assert elsewhere.status_code == 201


def test_engine_and_app_never_change(desk):
    made = desk.add()

    answer = desk.edit(made, engine="rq")

    assert (answer.status_code, answer.json()["pointer"]) == (422, "/engine")


def test_a_pause_holds_until_its_time_and_resuming_forgets_what_was_due_meanwhile(desk):
    made = desk.add(**POLL)
    later = desk.world.clock.us // 1000 + 3_600_000

    paused = desk.post(f"schedules/{made['id']}/pause", {"until": later, "note": "moving"}).json()
    desk.world.clock.advance(600)
    resumed = desk.post(f"schedules/{made['id']}/resume").json()

    assert paused["paused"] == {
        "by": "operator", "at": desk.world.clock.us // 1000 - 600_000, "note": "moving",
        "until": later,
    }  # fmt: skip
    assert paused["next_slot_ms"] > later
    assert not paused["can"]["pause"]["ok"]
    assert paused["can"]["resume"]["ok"]
    assert resumed["paused"] is None
    assert resumed["next_slot_ms"] <= desk.world.clock.us // 1000 + 60_000
    assert [row.action for row in desk.audited()][1:] == ["schedule.pause", "schedule.resume"]


def test_a_pause_for_good_and_a_disabled_schedule_have_no_next_slot(desk):
    one, other = desk.add(), desk.add(name="off", enabled=False)

    paused = desk.post(f"schedules/{one['id']}/pause").json()

    assert paused["next_slot_ms"] is None
    assert other["next_slot_ms"] is None


def test_restoring_a_revision_brings_back_what_it_was(desk):
    made = desk.add(queue="fast")
    edited = desk.edit(made, queue="slow", specs=[{"kind": "interval", "every": 5}]).json()

    answer = desk.ask(
        "POST", f"schedules/{made['id']}/restore", revision=edited["revision"],
        json={"revision": made["revision"]},
    )  # fmt: skip

    restored = answer.json()
    assert (restored["queue"], restored["specs"]) == (made["queue"], made["specs"])
    assert (restored["revision"], restored["generation"]) == (3, 3)
    history = desk.get(f"schedules/{made['id']}/revisions")["items"]
    assert [each["revision"] for each in history] == [3, 2, 1]
    assert [change["field"] for change in history[0]["changes"]] == ["queue", "specs"]
    assert (history[0]["by"], history[0]["changes"][0]["after"]) == ("operator", "fast")


def test_who_signed_in_long_ago_proves_it_again_before_a_schedule_is_deleted(desk):
    desk.world.password("admin", "correct horse battery")
    made, admin = desk.add(), desk.as_("admin")
    path = f"schedules/{made['id']}"
    desk.world.clock.advance(601)

    stale = desk.ask("DELETE", path, "admin", made["revision"])
    admin.post("/api/v1/auth/step-up", json={"password": "correct horse battery"})
    proven = desk.ask("DELETE", path, "admin", made["revision"])

    assert (stale.status_code, stale.json()["code"]) == (403, "auth.step_up")
    assert proven.status_code == 204


def test_only_an_admin_deletes_and_the_reason_is_written_down(desk):
    made = desk.add()
    path = f"schedules/{made['id']}"

    refused = desk.ask("DELETE", path, "operator", made["revision"])
    deleted = desk.ask("DELETE", path, "admin", made["revision"], params={"reason": "gone"})

    assert (refused.status_code, deleted.status_code) == (403, 204)
    assert desk.ask("GET", path).status_code == 404
    row = desk.audited()[-1]
    assert (row.action, row.reason, row.target) == (
        "schedule.delete",
        "gone",
        f"schedule {made['id']}",
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "schedules"), ("PATCH", "schedules/{id}"), ("POST", "schedules/{id}/pause"),
        ("POST", "schedules/{id}/resume"), ("POST", "schedules/{id}/restore"),
        ("PUT", "calendars/feasts"), ("DELETE", "calendars/feasts"),
    ],
)  # fmt: skip
def test_a_viewer_changes_nothing(desk, method, path):
    made = desk.add()

    answer = desk.ask(method, path.format(id=made["id"]), "viewer", 1, json=NIGHTLY)

    assert (answer.status_code, answer.json()["code"]) == (403, "auth.role")


def test_a_schedule_of_another_project_does_not_exist(desk):
    made = desk.add()
    foreign = desk.as_("foreign")

    own = foreign.request("GET", f"/api/v1/projects/other/schedules/{made['id']}")
    theirs = foreign.request("GET", f"/api/v1/projects/shop/schedules/{made['id']}")

    assert (own.status_code, theirs.status_code) == (404, 404)


def test_a_calendar_that_changes_gives_its_schedules_a_new_generation(desk):
    feasts = {"dates": ["2026-12-25"], "weekend": [0, 6]}
    assert desk.ask("PUT", "calendars/feasts", "admin", json=feasts).status_code == 200
    made = desk.add(calendars=[{"ref": "feasts"}])
    other = desk.add(name="other")

    desk.ask("PUT", "calendars/feasts", "admin", json=feasts | {"weekend": [0]})
    used = desk.ask("DELETE", "calendars/feasts", "admin")

    assert desk.get("calendars")["items"] == [
        {"name": "feasts", "dates": ["2026-12-25"], "weekend": [0]}
    ]
    assert desk.again(made)["generation"] == 2
    assert desk.again(other)["generation"] == 1
    assert (used.status_code, used.json()["code"]) == (409, "calendar.in_use")
    assert [row.action for row in desk.audited()].count("calendar.edit") == 2


def test_every_change_is_one_audit_row(desk):
    made = desk.add()
    edited = desk.edit(made, queue="slow").json()
    desk.post(f"schedules/{made['id']}/pause")
    paused = desk.post(f"schedules/{made['id']}/resume").json()
    desk.ask("DELETE", f"schedules/{made['id']}", "admin", paused["revision"])

    rows = desk.audited()
    assert [row.action.removeprefix("schedule.") for row in rows] == [
        "create", "edit", "pause", "resume", "delete",
    ]  # fmt: skip
    assert rows[1].detail == {
        "name": "nightly",
        "revision": edited["revision"],
        "fields": ["queue"],
    }


def test_the_list_is_by_name_in_pages_and_counts_what_matches(desk):
    for name in ("c", "a", "b", "d"):
        desk.add(name=name, queue="mail" if name in "ab" else "slow", tags=[f"t-{name}"])
    desk.edit(desk.get("schedules", q="name:d")["items"][0], enabled=False)

    first = desk.get("schedules", limit=3)
    rest = desk.get("schedules", limit=3, cursor=first["next"])

    assert [each["name"] for each in first["items"] + rest["items"]] == ["a", "b", "c", "d"]
    assert (first["total"], rest["next"]) == (4, None)
    found = {
        q: "".join(each["name"] for each in desk.get("schedules", q=q)["items"])
        for q in ("queue:mail", "-queue:mail", "tag:t-a", "is:disabled", "is:enabled name:a,d",
                  "shop.bill", "task:shop.*", "owner:ui", "is:failing OR name:c", "NOT is:paused")
    }  # fmt: skip
    assert found == {
        "queue:mail": "ab", "-queue:mail": "cd", "tag:t-a": "a", "is:disabled": "d",
        "is:enabled name:a,d": "a", "shop.bill": "abcd", "task:shop.*": "abcd",
        "owner:ui": "abcd", "is:failing OR name:c": "c", "NOT is:paused": "abcd",
    }  # fmt: skip


def test_an_unknown_key_of_the_query_is_an_error_with_the_nearest_one(desk):
    answer = desk.ask("GET", "schedules", params={"q": "nmae:a"})

    said = answer.json()
    assert (answer.status_code, said["code"], said["hint"]) == (422, "query.unknown_key", "name")


def test_a_viewer_sees_when_a_schedule_fires_and_not_with_what(desk):
    made = desk.add(args=[1], headers={"token": "t"})
    desk.edit(made, kwargs={"dry": True})

    seen = desk.get(f"schedules/{made['id']}", "viewer")
    history = desk.get(f"schedules/{made['id']}/revisions", "viewer")["items"]

    assert (seen["args"], seen["kwargs"], seen["headers"]) == ([], {}, {})
    assert (seen["args_hidden"], seen["words"]) == (True, made["words"])
    assert history[0]["changes"] == [{"field": "kwargs", "before": None, "after": None}]
