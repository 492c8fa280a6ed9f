"""How many fires each hour of the coming week has; and slots of several zones."""

from __future__ import annotations

from datetime import UTC, datetime

from z4j_brain.schedules import weeks

PARIS = "20260601T070000"


def ms(*at):
    return int(datetime(*at, tzinfo=UTC).timestamp() * 1000)


def cron(expr, tz="UTC", **more):
    return {"specs": [{"kind": "cron", "expr": expr, "tz": tz}], **more}


def week(desk, **params):
    found = desk.get("schedules/week", **params)
    return found, {each["local"]: each["fires"] for each in found["hours"] if each["fires"]}


def test_the_week_counts_each_fire_in_its_hour_on_the_wall_of_who_looks(desk):
    desk.world.clock.us = ms(2026, 6, 1, 10, 30) * 1000
    desk.add(name="a", **cron("15,45 2 * * *"))
    desk.add(name="b", **cron("0 2 * * mon"))

    found, fires = week(desk, tz="Europe/Paris")

    assert len(found["hours"]) == 168
    assert found["hours"][0]["local"] == "2026-06-01T12:00:00"
    assert fires == {f"2026-06-{day:02}T04:00:00": 3 if day == 8 else 2 for day in range(2, 9)}
    assert (found["schedules"], found["idle"], found["left_out"]) == (2, 0, 0)
    assert found["about"] is False
    monday = next(each for each in found["hours"] if each["local"] == "2026-06-08T04:00:00")
    inside = desk.get("schedules/week", tz="Europe/Paris", at_s=monday["at_ms"] // 1000)["items"]
    assert [(each["name"], each["fires"]) for each in inside] == [("a", 2), ("b", 1)]


def test_the_week_counts_what_is_to_come_and_no_more_than_may_fire(desk):
    desk.world.clock.us = ms(2026, 6, 1, 10, 30) * 1000
    desk.add(name="every", specs=[{"kind": "interval", "every": 600}])
    desk.add(name="thrice", max_fires=3, **cron("0 * * * *"))
    desk.add(name="off", enabled=False, **cron("0 * * * *"))
    paused = desk.add(name="paused", **cron("0 * * * *"))
    desk.post(f"schedules/{paused['id']}/pause", {"until": ms(2026, 6, 8, 8, 30)})

    found, fires = week(desk)

    hours = list(fires.values())
    assert hours[0] == 2, "of the current hour, what is still to come"
    assert hours[1:4] == [7, 7, 7]
    assert sum(hours) == 2 + 167 * 6 + 3 + 1
    assert found["idle"] == 1


def test_an_hour_that_is_counted_by_steps_is_the_hour_that_is_counted_slot_by_slot(desk):
    desk.world.clock.us = ms(2026, 6, 1, 10, 7) * 1000
    desk.add(name="steps", specs=[{"kind": "interval", "every": 777}])
    _, steps = week(desk)
    desk.add(
        name="slots", specs=[{"kind": "interval", "every": 777}],
        blackouts=[{"start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"}],
    )  # fmt: skip

    _, both = week(desk)

    assert both == {hour: 2 * n for hour, n in steps.items()}


def test_what_fires_every_second_is_said_to_be_about_so_many(desk):
    desk.world.clock.us = ms(2026, 6, 1) * 1000
    desk.add(name="busy", **cron("* * * * * *"))

    found, fires = week(desk)

    assert found["about"] is True
    assert set(fires.values()) <= {3_599, 3_600}
    assert len(fires) == 168


def test_when_the_work_is_spent_the_rest_is_counted_as_left_out(desk, monkeypatch):
    monkeypatch.setattr(weeks, "WALKED", 0)
    desk.add(name="one", **cron("0 2 * * *"))

    found, fires = week(desk)

    assert (found["left_out"], fires) == (1, {})


def test_a_zone_that_does_not_exist_is_refused(desk):
    answer = desk.ask("GET", "schedules/week", params={"tz": "Mars/Base"})

    assert (answer.status_code, answer.json()["pointer"]) == (422, "/tz")


def test_of_several_zones_each_slot_is_shown_on_its_own_wall(desk):
    desk.world.clock.us = ms(2026, 5, 31, 23, 59) * 1000
    body = {
        "specs": [
            {"kind": "cron", "expr": "0 9 * * *", "tz": "America/New_York"},
            {"kind": "cron", "expr": "0 9 * * *", "tz": "Asia/Tokyo"},
            {
                "kind": "rrule",
                "text": "DTSTART;TZID=Europe/Paris:20260601T070000\nRRULE:FREQ=DAILY",
            },
        ],
        "n": 4,
    }

    found = desk.post("schedules/preview", body).json()["next"]

    assert [(each["local"], each["tz"]) for each in found] == [
        ("2026-06-01T09:00:00", "Asia/Tokyo"),
        ("2026-06-01T07:00:00", "Europe/Paris"),
        ("2026-06-01T09:00:00", "America/New_York"),
        ("2026-06-02T09:00:00", "Asia/Tokyo"),
    ]  # fmt: skip
