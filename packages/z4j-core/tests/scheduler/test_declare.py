"""Schedules declared in code or a file: what they mean, and how each mistake is told."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.scheduler.declare import FIELDS, read_declared, written
from z4j_core.scheduler.document import read_definition

from .conftest import few
from .texts import DOW

CRON = {"task": "shop.bill", "cron": "0 2 * * *"}
FORMS = {
    "cron": ({"cron": "0 2 * * *"}, {"kind": "cron", "expr": "0 2 * * *"}),
    "cron of a dialect": (
        {"cron": "0 0 13 * fri", "dialect": "celery", "tz": "Europe/Paris", "dst": "skip"},
        {"kind": "cron", "expr": "0 0 13 * fri", "dialect": "celery", "tz": "Europe/Paris",
         "dst": "skip"},
    ),
    "interval": ({"interval": "PT30S"}, {"kind": "interval", "every": 30}),
    "interval of Python": ({"interval": timedelta(minutes=2)}, {"kind": "interval", "every": 120}),
    "interval in full": (
        {"interval": {"every": "5m", "anchor": "epoch", "mode": "fixed_delay"}},
        {"kind": "interval", "every": 300, "anchor": "epoch", "mode": "fixed_delay"},
    ),
    "calendar": (
        {"calendar": {"every": {"months": 1}, "anchor": datetime(2026, 1, 31, 9)}, "tz": "Asia/Tokyo"},
        {"kind": "calendar", "every": {"months": 1}, "anchor": "2026-01-31T09:00:00",
         "tz": "Asia/Tokyo"},
    ),
    "once": (
        {"once": datetime(2027, 1, 1, tzinfo=UTC)}, {"kind": "once", "at": "2027-01-01T00:00:00Z"},
    ),
    "once by the wall": (
        {"once": date(2027, 1, 1), "tz": "Europe/Paris"},
        {"kind": "once", "at": "2027-01-01T00:00:00", "tz": "Europe/Paris"},
    ),
    "solar": (
        {"solar": {"event": "sunrise", "lat": 48.8, "lon": 2.3}},
        {"kind": "solar", "event": "sunrise", "lat": 48.8, "lon": 2.3},
    ),
    "rrule": (
        {"rrule": "DTSTART;TZID=Europe/Paris:20260101T090000\nRRULE:FREQ=DAILY"},
        {"kind": "rrule", "text": "DTSTART;TZID=Europe/Paris:20260101T090000\nRRULE:FREQ=DAILY"},
    ),
    "on_start": ({"on_start": True}, {"kind": "on_start"}),
}  # fmt: skip


def declared(schedules, **more):
    found = read_declared({"schedules": schedules, **more})
    assert found.faults == ()
    return found.declared


def one(fields, **more):
    return declared({"a": {"task": "t", **fields}}, **more).entries["a"].definition


def told(value):
    """Code and pointer of each fault."""
    return [(error.code, error.pointer) for error in read_declared(value).faults]


@pytest.mark.parametrize("form", FORMS)
def test_each_sugar_is_one_spec_and_is_written_back_as_sugar(form):
    sugar, spec = FORMS[form]

    found = declared({"a": {"task": "t", **sugar}})

    assert found.entries["a"].definition == read_definition(
        {"name": "a", "task": "t", "specs": [spec]}
    )
    short = written(found)["schedules"]["a"]
    assert "specs" not in short
    assert set(short) == {"task", *sugar}
    assert read_declared(written(found)).declared == found


def test_several_specs_take_the_zone_that_stands_beside_them_where_they_give_none():
    specs = [
        {"kind": "cron", "expr": "0 9 * * *"},
        {"kind": "cron", "expr": "0 9 * * *", "tz": "Asia/Tokyo"},
        {"kind": "interval", "every": 60},
    ]

    found = one({"specs": specs, "tz": "Europe/Paris"}).trigger.specs

    assert [getattr(spec, "tz", None) for spec in found] == ["Europe/Paris", "Asia/Tokyo", None]


def test_defaults_hold_where_a_schedule_says_nothing_and_null_takes_one_away():
    found = declared(
        {
            "a": CRON,
            "b": {**CRON, "queue": None, "tz": "UTC"},
            "c": {"task": "t", "interval": 5},
            "d": {**CRON, "tz": None},
        },
        defaults={"engine": "celery", "tz": "Europe/Paris", "queue": "slow", "catchup": "skip"},
    ).entries

    assert [found[name].definition.queue for name in "abc"] == ["slow", None, "slow"]
    assert [found[name].definition.trigger.specs[0].tz for name in "ab"] == ["Europe/Paris", "UTC"]
    assert {found[name].engine for name in "abc"} == {"celery"}
    assert found["d"].definition.trigger.specs[0].tz == "UTC"
    assert {found[name].definition.rules.catchup for name in "abc"} == {"skip"}


def test_enabled_is_left_to_operators_unless_it_is_declared():
    found = declared({"a": CRON, "b": {**CRON, "enabled": False}}).documents()

    assert "enabled" not in found["a"]
    assert found["b"]["enabled"] is False


def test_the_schedules_may_stand_alone_and_then_the_tag_is_the_usual_one():
    found = read_declared({"nightly": CRON}, "shop")

    assert (found.faults, found.declared.tag) == ((), "shop")
    assert found.declared == read_declared({"tag": "shop", "schedules": {"nightly": CRON}}).declared


WRONG = {
    "no mapping": ([CRON], ("schedule.bounds", "")),
    "unknown at the top": ({"schedules": {}, "default": {}}, ("schedule.bounds", "/default")),
    "tag": ({"schedules": {}, "tag": "a b"}, ("schedule.bounds", "/tag")),
    "tag that is a number": ({"schedules": {}, "tag": 3}, ("schedule.bounds", "/tag")),
    "defaults": ({"schedules": {}, "defaults": []}, ("schedule.bounds", "/defaults")),
    "unknown default": ({"schedules": {}, "defaults": {"tx": 1}}, ("schedule.bounds", "/defaults/tx")),
    "timing as default": (
        {"schedules": {}, "defaults": {"cron": "* * * * *"}}, ("schedule.bounds", "/defaults/cron"),
    ),
    "schedules": ({"schedules": []}, ("schedule.bounds", "/schedules")),
    "default that is wrong": (
        {"schedules": {"a": CRON}, "defaults": {"tz": "Mars"}}, ("schedule.zone", "/defaults/tz"),
    ),
    "default rule that is wrong": (
        {"schedules": {"a": CRON}, "defaults": {"grace_s": -1}},
        ("schedule.bounds", "/defaults/grace_s"),
    ),
    "default engine that is wrong": (
        {"schedules": {"a": CRON}, "defaults": {"engine": 1}}, ("schedule.bounds", "/defaults/engine"),
    ),
    "too many": (
        {"schedules": dict.fromkeys(map(str, range(10_001)), CRON)}, ("schedule.bounds", "/schedules"),
    ),
    "name": ({"schedules": {" a": CRON}}, ("schedule.name", "/schedules/ a")),
    "name that is a number": ({"schedules": {3: CRON}}, ("schedule.name", "/schedules/3")),
    "slash in a name": (
        {"schedules": {"a/b~": {**CRON, "task": 1}}}, ("schedule.bounds", "/schedules/a~1b~0/task"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_set_is_named_by_its_place(case):
    value, said = WRONG[case]

    assert told(value) == [said]


def deep(levels):
    found = 1
    for _ in range(levels):
        found = {"a": found}
    return found


ENTRIES = {
    "no object": ("* * * * *", "schedule.bounds", ""),
    "no task": ({"cron": "* * * * *"}, "schedule.bounds", "/task"),
    "no timing": ({"task": "t"}, "schedule.bounds", ""),
    "two timings": ({**CRON, "interval": 3}, "schedule.bounds", "/interval"),
    "sugar and specs": ({**CRON, "specs": [{"kind": "on_start"}]}, "schedule.bounds", "/specs"),
    "unknown field": ({**CRON, "qeue": "x"}, "schedule.bounds", "/qeue"),
    "a name inside": ({**CRON, "name": "b"}, "schedule.bounds", "/name"),
    "cron": ({"task": "t", "cron": "61 * * * *"}, "schedule.cron_syntax", "/cron"),
    "cron of a dialect": (
        {"task": "t", "cron": "0 0 * * L", "dialect": "celery"}, "schedule.cron_syntax", "/cron",
    ),
    "dialect": ({**CRON, "dialect": "klingon"}, "schedule.dialect", "/dialect"),
    "zone": ({**CRON, "tz": "PST"}, "schedule.zone", "/tz"),
    "dst": ({**CRON, "dst": "never"}, "schedule.bounds", "/dst"),
    "cron in full": ({"task": "t", "cron": {"expr": "x"}}, "schedule.cron_syntax", "/cron/expr"),
    "unknown in cron": (
        {"task": "t", "cron": {"expr": "* * * * *", "zone": "UTC"}}, "schedule.bounds", "/cron/zone",
    ),
    "kind in sugar": (
        {"task": "t", "cron": {"expr": "* * * * *", "kind": "cron"}}, "schedule.bounds", "/cron/kind",
    ),
    "cron without text": ({"task": "t", "cron": {"tz": "UTC"}}, "schedule.bounds", "/cron/expr"),
    "interval": ({"task": "t", "interval": "soon"}, "schedule.bounds", "/interval"),
    "interval too short": ({"task": "t", "interval": 0.01}, "schedule.bounds", "/interval"),
    "interval with a zone": (
        {"task": "t", "interval": 3, "tz": "UTC"}, "schedule.bounds", "/tz",
    ),
    "calendar as text": ({"task": "t", "calendar": "monthly"}, "schedule.bounds", "/calendar"),
    "calendar without anchor": (
        {"task": "t", "calendar": {"every": {"months": 1}}}, "schedule.bounds", "/calendar/anchor",
    ),
    "once by the wall without zone": (
        {"task": "t", "once": "2027-01-01T00:00:00"}, "schedule.bounds", "/once",
    ),
    "solar": (
        {"task": "t", "solar": {"event": "noon", "lat": 0, "lon": 0}}, "schedule.bounds",
        "/solar/event",
    ),
    "rrule": ({"task": "t", "rrule": "FREQ=DAILY"}, "schedule.bounds", "/rrule"),
    "on_start": ({"task": "t", "on_start": "yes"}, "schedule.bounds", "/on_start"),
    "specs": ({"task": "t", "specs": {"kind": "on_start"}}, "schedule.bounds", "/specs"),
    "empty specs": ({"task": "t", "specs": []}, "schedule.bounds", "/specs"),
    "a spec": (
        {"task": "t", "specs": [{"kind": "cron", "expr": "0 9 * * *"}, {"kind": "interval"}]},
        "schedule.bounds", "/specs/1/every",
    ),
    "a spec that is no object": ({"task": "t", "specs": [3]}, "schedule.bounds", "/specs/0"),
    "bounds": (
        {**CRON, "start_at": "2027-01-01T00:00:00Z", "end_at": "2026-01-01T00:00:00Z"},
        "schedule.bounds", "/end_at",
    ),
    "blackout": ({**CRON, "blackouts": [{"start": "x"}]}, "schedule.bounds", "/blackouts/0/start"),
    "rule": ({**CRON, "overlap": "sometimes"}, "schedule.bounds", "/overlap"),
    "args": ({**CRON, "args": {"a": 1}}, "schedule.args", "/args"),
    "args of Python": ({**CRON, "kwargs": {"at": date(2026, 1, 1)}}, "schedule.args", "/kwargs"),
    "a name in kwargs": ({**CRON, "kwargs": {1: 2}}, "schedule.args", "/kwargs"),
    "a name in options": ({**CRON, "options": {"a": 1, 2: 3}}, "schedule.args", "/options"),
    "an integer beyond 64 bits": ({**CRON, "args": [1 << 64]}, "schedule.args", "/args"),
    "a masked value": ({**CRON, "kwargs": {"a": "[redacted]"}}, "schedule.masked_value", "/kwargs"),
    "an option of ours": ({**CRON, "options": {"eta": 1}}, "schedule.option", "/options/eta"),
    "engine": ({**CRON, "engine": ""}, "schedule.bounds", "/engine"),
    "enabled": ({**CRON, "enabled": "no"}, "schedule.bounds", "/enabled"),
    "nested without end": ({**CRON, "dispatch": deep(50_000)}, "schedule.bounds", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", ENTRIES)
def test_what_is_wrong_with_a_schedule_is_named_by_its_place_and_the_others_stand(case):
    value, code, pointer = ENTRIES[case]

    found = read_declared({"schedules": {"a": value, "b": CRON}})

    assert [(error.code, error.pointer) for error in found.faults] == [
        (code, f"/schedules/a{pointer}")
    ]
    assert set(found.declared.entries) == {"b"}


@pytest.mark.parametrize(
    ("wrong", "near"), [("crom", "cron"), ("intervall", "interval"), ("kwarg", "kwargs")]
)
def test_the_nearest_name_is_suggested(wrong, near):
    (error,) = read_declared({"a": {"task": "t", "cron": "* * * * *", wrong: 1}}).faults

    assert error.hint == f"did you mean {near}?"


def test_the_nearest_name_is_suggested_inside_a_spec_too():
    (error,) = read_declared(
        {"a": {"task": "t", "cron": {"expr": "* * * * *", "dialet": 1}}}
    ).faults

    assert error.hint == "did you mean dialect?"


def test_all_faults_are_told_at_once():
    found = {"a": {"task": 1, "cron": "* * * * *"}, "b": {}, "c": CRON}

    assert told({"schedules": found, "tags": []}) == [
        ("schedule.bounds", "/tags"),
        ("schedule.bounds", "/schedules/a/task"),
        ("schedule.bounds", "/schedules/b"),
    ]


def test_equal_sets_have_one_digest_however_they_are_written():
    first = declared({"a": CRON, "b": {"task": "t", "interval": "PT1M"}}, tag="shop")
    again = declared(
        {"b": {"interval": timedelta(seconds=60), "task": "t"}, "a": dict(reversed(CRON.items()))},
        tag="shop", defaults={"tz": "UTC", "catchup": "fire_one"},
    )  # fmt: skip
    other = declared({"a": CRON, "b": {"task": "t", "interval": "PT2M"}}, tag="shop")

    assert first.digest() == again.digest() != other.digest()
    assert len(first.digest()) == 32
    assert first.digest() != declared({"a": CRON, "b": {"task": "t", "interval": 60}}).digest()


def test_what_is_registered_is_the_invocation_and_not_its_timing():
    found = declared(
        {"a": {**CRON, "args": (1,), "kwargs": {"b": 2, "a": 1}}, "b": {"task": "x", "interval": 5}}
    ).invocations()

    assert found == [("shop.bill", [1], {"a": 1, "b": 2}), ("x", [], {})]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["* * * * *", "UTC", "cron", "PT5M", "2027-01-01T00:00:00Z"])
    | st.datetimes() | st.timedeltas() | st.sampled_from([float("nan"), float("inf"), 10**30]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*FIELDS, "kind", "expr", "every", "at", "start", "ref"])
                      | st.text(max_size=4) | st.integers(), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@few(250)
@given(st.sampled_from(FIELDS), VALUES, VALUES)
def test_whatever_a_field_holds_is_read_or_told_and_never_raised(name, value, other):
    for entry in ({**CRON, name: value}, {"task": "t", name: value, "tz": other}, value):
        for whole in ({"a": entry}, {"schedules": {"a": CRON}, "defaults": {name: value}}, entry):
            found = read_declared(whole)

            assert found.faults or found.declared.entries or not whole
            assert all(error.text and error.pointer[:1] in ("", "/") for error in found.faults)
            assert len(found.declared.digest()) == 32


@st.composite
def sets(draw):
    """Sets that are right."""
    minute, hour = st.integers(0, 59), st.integers(0, 23)
    timing = st.one_of(
        st.builds(
            lambda m, h, d: {"cron": f"{m} {h} * * {d}"}, minute, hour, st.sampled_from(DOW)
        ),
        st.builds(lambda s: {"interval": s}, st.integers(1, 10**6)),
        st.builds(lambda at: {"once": at.replace(microsecond=0, tzinfo=UTC)},
                  st.datetimes(datetime(1990, 1, 1), datetime(2400, 1, 1))),
        st.builds(lambda e: {"solar": {"event": e, "lat": 1.5, "lon": -2}},
                  st.sampled_from(["sunrise", "sunset", "solar_noon"])),
    )  # fmt: skip
    rest = st.fixed_dictionaries(
        {},
        optional={
            "args": st.lists(st.integers(-9, 9) | st.text("ab/~", max_size=3), max_size=3),
            "kwargs": st.dictionaries(st.text("xyz", min_size=1, max_size=2), st.booleans()),
            "queue": st.sampled_from(["slow", "a/b"]),
            "overlap": st.sampled_from(["skip", "buffer_all"]),
            "max_fires": st.integers(1, 9),
            "jitter_s": st.integers(0, 9),
            "enabled": st.booleans(),
            "engine": st.sampled_from(["celery", "rq"]),
            "description": st.sampled_from(["", "why"]),
        },
    )
    names = st.text("abc/~ ä", min_size=1, max_size=5).filter(lambda text: text.strip() == text)
    found = draw(st.dictionaries(names, st.tuples(timing, rest), max_size=4))
    tag = draw(st.sampled_from(["", "shop"]))
    schedules = {name: {"task": "t", **when, **more} for name, (when, more) in found.items()}
    return {"schedules": schedules} | ({"tag": tag} if tag else {})


@few(100)
@given(sets())
def test_what_is_written_reads_back_as_the_same_set(value):
    found = read_declared(value)

    assert found.faults == ()
    assert read_declared(json.loads(json.dumps(written(found.declared)))) == found
