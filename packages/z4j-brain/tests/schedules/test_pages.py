"""What the pages about schedules ask for: drift, calendars, leaders, fires of all."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from z4j_brain.schedules.leases import BrainsOwn
from z4j_brain.schedules.model import schedule_groups
from z4j_brain.schedules.store import Place
from z4j_core.scheduler.fires import manual_id

from .conftest import PLACE, POLL
from .test_declared import BILL, applied, named
from .test_fires import MANUAL, MISSED, SENT, Ledger
from .test_week import cron, ms


@pytest.fixture
def ledger(world):
    return Ledger(world)


def test_drift_names_field_values_and_who_edited(desk):
    applied(desk)
    desk.edit(named(desk, "bill"), queue="urgent")

    found = desk.get("schedules/drift")

    (item,) = found["items"]
    assert (item["name"], item["owner"], found["declared"]) == ("bill", "declarative:shop", 2)
    (field,) = item["fields"]
    assert field | {"at": 0} == {
        "field": "queue", "declared": '"slow"', "now": '"urgent"', "by": "operator", "at": 0,
    }  # fmt: skip


def test_what_the_file_says_is_taken_field_by_field(desk):
    applied(desk)
    desk.edit(named(desk, "bill"), queue="urgent", grace_s=5)
    bill = named(desk, "bill")

    answer = desk.ask(
        "POST", f"schedules/{bill['id']}/redeclare", revision=bill["revision"],
        json={"fields": ["queue"]},
    )  # fmt: skip

    assert answer.status_code == 200, answer.text
    assert (answer.json()["queue"], answer.json()["grace_s"]) == ("slow", 5)
    assert [each["field"] for each in named(desk, "bill")["drift"]] == ["grace_s"]
    assert desk.audited()[-1].action == "schedule.redeclare"


def test_taking_the_files_value_is_refused_where_somebody_edited_meanwhile(desk):
    applied(desk)
    desk.edit(named(desk, "bill"), queue="urgent")
    old = named(desk, "bill")
    desk.edit(old, queue="other")
    path = f"schedules/{old['id']}/redeclare"

    stale = desk.ask("POST", path, revision=old["revision"], json={"fields": ["queue"]})
    unknown = desk.ask("POST", path, revision=old["revision"] + 1, json={"fields": ["nonsense"]})

    assert (stale.status_code, stale.json()["code"]) == (412, "schedule.conflict")
    assert unknown.status_code == 422
    assert named(desk, "bill")["queue"] == "other"


def test_who_may_not_see_arguments_sees_that_they_drifted_and_not_to_what(desk):
    applied(desk, {"bill": BILL | {"args": ["secret"]}})
    desk.edit(named(desk, "bill"), args=["other secret"])

    (item,) = desk.get("schedules/drift", role="viewer")["items"]
    listed = desk.get("schedules", role="viewer")["items"][0]["drift"]

    assert item["fields"][0] | {"by": "", "at": 0} == {
        "field": "args", "declared": None, "now": None, "by": "", "at": 0,
    }  # fmt: skip
    assert listed == [{"field": "args", "declared": None, "now": None}]


def test_drift_is_read_in_pages(desk):
    sets = {f"bill{n}": BILL for n in range(5)}
    applied(desk, sets)
    for name in sets:
        desk.edit(named(desk, name), queue="urgent")

    first = desk.get("schedules/drift", limit=3)
    rest = desk.get("schedules/drift", limit=3, cursor=first["next"])

    names = [each["name"] for each in [*first["items"], *rest["items"]]]
    assert names == list(sets)
    assert rest["next"] is None


def calendar(desk, name="holidays", **days):
    answer = desk.ask("PUT", f"calendars/{name}", "admin", json=days)
    assert answer.status_code == 200, answer.text


def test_a_calendar_names_its_schedules_and_the_slots_it_stops_next(desk):
    desk.world.clock.us = ms(2026, 12, 20, 12) * 1000
    calendar(desk, dates=["2025-12-25", "2026-12-25", "2027-01-01"])
    uses = [{"ref": "holidays", "on_hit": "next_business_day"}]
    used = desk.add(name="bill", calendars=uses, **cron("0 2,3 * * *", "Europe/Paris"))
    desk.add(name="weekly", calendars=uses, **cron("0 2 * * mon"))
    desk.add(name="free", **cron("0 2 * * *"))

    (found,) = desk.get("schedules/calendars")["items"]

    assert (found["name"], found["past"], found["users"]) == ("holidays", 1, 2)
    bill, weekly = found["used_by"]
    assert (bill["id"], bill["on_hit"]) == (used["id"], "next_business_day")
    assert [(each["local"], each["slots"]) for each in bill["hits"]] == [
        ("2026-12-25T02:00:00", 2), ("2027-01-01T02:00:00", 2),
    ]  # fmt: skip
    assert weekly["hits"] == []


def test_days_of_the_week_are_days_off_too(desk):
    desk.world.clock.us = ms(2026, 12, 16, 12) * 1000
    calendar(desk, weekend=[6, 0])
    desk.add(name="often", calendars=[{"ref": "holidays"}], **cron("* * * * * *"))

    (found,) = desk.get("schedules/calendars")["items"]

    hits = found["used_by"][0]["hits"]
    assert [each["day"] for each in hits] == ["2026-12-19", "2026-12-20", "2026-12-26"]
    assert all(each["more"] for each in hits)


def test_windows_are_listed_with_when_they_open_next(desk):
    desk.world.clock.us = ms(2026, 6, 1, 12) * 1000
    desk.add(name="past", blackouts=[
        {"start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}
    ])  # fmt: skip
    desk.add(name="once", blackouts=[
        {"start": "2026-07-01T00:00:00Z", "end": "2026-07-02T00:00:00Z", "action": "defer"}
    ])  # fmt: skip
    desk.add(name="now", blackouts=[{"cron": "30 11 * * *", "duration_s": 3600}])
    desk.add(name="later", blackouts=[{"cron": "0 20 * * *", "duration_s": 60}])

    found = desk.get("schedules/calendars")["windows"]

    assert [(each["name"], each["from_ms"], each["to_ms"], each["action"]) for each in found] == [
        ("now", ms(2026, 6, 1, 11, 30), ms(2026, 6, 1, 12, 30), "skip"),
        ("later", ms(2026, 6, 1, 20), ms(2026, 6, 1, 20, 1), "skip"),
        ("once", ms(2026, 7, 1), ms(2026, 7, 2), "defer"),
    ]


def group(desk):
    (found,) = desk.get("schedules/groups")["items"]
    return found


def told(era=1, revision=1, candidate=True):
    return [PLACE["engine"], PLACE["app"], candidate, era, revision]


def test_a_group_says_who_leads_since_when_and_how_late_its_fires_are(desk, ledger):
    poll = desk.add(**POLL)
    slots = [poll["next_slot_ms"] + n * 60_000 for n in range(100)]
    ledger.tell(*(
        ledger.fire(poll, slot, SENT, lag_ms=n) for n, slot in enumerate(slots, start=1)
    ))  # fmt: skip
    by_hand = manual_id(poll["id"], "n")
    ledger.tell(ledger.fire(poll, slots[-1] + 1, SENT, ident=by_hand, trigger=MANUAL, nonce="n",
                            epoch=0, lag_ms=9_000))  # fmt: skip
    desk.connect(stream=ledger.stream, groups=[told()])
    desk.connect(host="other", groups=[told()])

    found = group(desk)

    assert found["leader"]["epoch"] == 7
    assert found["since"] == desk.world.clock.us // 1000
    assert (found["lag_p50_ms"], found["lag_p99_ms"], found["lag_fires"]) == (50, 99, 100)
    assert (found["ttl_left_ms"], found["store"]) == (None, None)
    assert [each["is_leader"] for each in found["candidates"]].count(True) == 1


def test_of_a_lease_in_the_brain_it_is_known_how_long_it_runs(desk):
    desk.add(**POLL)
    place = Place(desk.world.shop, PLACE["engine"], PLACE["app"])
    own = BrainsOwn(desk.world.brain.db, place, desk.world.clock.boottime)
    own.acquire("owner", ttl_ms=15_000, fp="ab" * 16, rev="000001.000000000001")

    found = group(desk)

    assert found["store"] == "brain"
    assert 10_000 < found["ttl_left_ms"] <= 15_000


def test_each_process_that_cannot_lead_says_why(desk):
    desk.add(**POLL)
    desk.connect(host="a", groups=[told()])
    desk.connect(host="b", policy="observe", groups=[told(candidate=False)])
    desk.connect(host="a", pid=2, groups=[told(candidate=False)])
    desk.connect(host="c", role="web", groups=[told(candidate=False)])

    whys = {(each["host"], each["pid"]): each["why"] for each in group(desk)["others"]}

    assert "observe" in whys["b", 1]
    assert whys["a", 2] == "another process of this host is its candidate"
    assert "no worker" in whys["c", 1]
    with desk.world.brain.db.writing() as conn:
        conn.execute(update(schedule_groups).values(leader=None))
    assert group(desk)["leader"] is None


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("", ["late", "missed", "hand", "usual"]),
        ("is:late", ["late"]),
        ("lag:>1m", ["late"]),
        ("lag:..20ms", ["hand", "usual"]),
        ("is:missed", ["missed"]),
        ("status:missed,failed", ["missed"]),
        ("is:ordered", ["hand"]),
        ("by:an*", ["hand"]),
        ("-by:an*", ["late", "missed", "usual"]),
        ("trigger:timer -is:late", ["missed", "usual"]),
        ("schedule:us*", ["usual"]),
        ("task:shop.poll", ["late", "missed", "hand", "usual"]),
        ("reason:outage", ["missed"]),
        ("OUTAGE", ["missed"]),
        ("hand OR is:late", ["late", "hand"]),
        ("engine:rq", []),
    ],
)
def test_fires_of_all_schedules_are_found_by_what_became_of_them(desk, ledger, q, names):
    made = {name: desk.add(**POLL | {"name": name}) for name in ("usual", "hand", "missed", "late")}
    slot = made["usual"]["next_slot_ms"]
    ledger.tell(
        ledger.fire(made["usual"], slot, SENT),
        ledger.fire(
            made["hand"], slot + 1, SENT, ident=manual_id(made["hand"]["id"], "n"), nonce="n",
            trigger=MANUAL, actor="ana",
        ),
        ledger.fire(made["missed"], slot + 2, MISSED, reason="outage of the broker"),
        ledger.fire(made["late"], slot + 3, SENT, lag_ms=90_000),
    )  # fmt: skip

    found = desk.get("fires", **({"q": q} if q else {}))["items"]

    assert [each["schedule_name"] for each in found] == names
    assert all(each["definition"] == "shop.poll" for each in found)


def test_a_query_of_fires_that_cannot_be_meant_names_its_column(desk):
    answer = desk.ask("GET", "fires", params={"q": "is:late stauts:sent"})

    assert (answer.status_code, answer.json()["code"]) == (422, "query.unknown_key")
    assert answer.json()["column"] == 8
