"""Schedules as documents, and the names of fires."""

import json
from uuid import UUID, uuid5

import pytest
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.document import Replica, read_days_off, read_definition, read_replica
from z4j_core.scheduler.fires import fire_id, mark, read_mark

SCHEDULE = "018f0000-0000-7000-8000-000000000001"
SMALL = {"name": "nightly", "task": "shop.bill", "specs": [{"kind": "cron", "expr": "0 2 * * *"}]}


def refused(document):
    with pytest.raises(ScheduleInvalid) as caught:
        read_definition(document)
    return caught.value.code, caught.value.pointer


def replica(**more):
    return Replica(SCHEDULE, 3, 7, 1_000, 2_000, read_definition(SMALL | more))


def test_a_definition_written_out_reads_back_the_same():
    found = read_definition(SMALL | {"args": [1, "a"], "kwargs": {"dry": False}, "tags": ["x"]})
    assert read_definition(json.loads(json.dumps(found.json()))) == found


def test_a_replica_reads_back_the_same_and_its_bytes_are_canonical():
    found = replica(grace_s=5)
    assert read_replica(found.encoded()) == found
    assert read_replica(found.encoded()).encoded() == found.encoded()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "a\nb"}, ("schedule.name", "/name")),
        ({"name": " a"}, ("schedule.name", "/name")),
        ({"task": 3}, ("schedule.bounds", "/task")),
        ({"args": {}}, ("schedule.args", "/args")),
        ({"args": ["x" * (64 << 10)]}, ("schedule.args", "/args")),
        ({"args": [float("nan")]}, ("schedule.args", "/args")),
        ({"kwargs": {"token": "[redacted]"}}, ("schedule.masked_value", "/kwargs")),
        ({"options": {"eta": 3}}, ("schedule.option", "/options/eta")),
        ({"colour": 1}, ("schedule.bounds", "/colour")),
        ({"specs": [{"kind": "cron", "expr": "61 * * * *"}]}, ("schedule.cron_syntax", "/specs/0/expr")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_field(wrong, said):
    assert refused(SMALL | wrong) == said


def test_arguments_nested_deeper_than_sixteen_levels_are_refused():
    deep = 1
    for _ in range(17):
        deep = [deep]
    assert refused(SMALL | {"args": deep}) == ("schedule.args", "/args")


def test_a_calendar_named_by_a_trigger_travels_with_the_replica():
    days = read_days_off({"dates": ["2026-12-25"], "weekend": [0, 6]})
    found = Replica(
        SCHEDULE, 1, 1, 0, 0, read_definition(SMALL | {"calendars": [{"ref": "bank"}]}),
        days_off={"bank": days},
    )  # fmt: skip
    christmas_ms = 1_798_156_800_000
    slot = read_replica(found.encoded()).planned().trigger.next(christmas_ms)
    assert slot.local == "2026-12-28T02:00:00"


def test_a_slot_of_a_generation_has_one_name():
    assert fire_id(SCHEDULE, 1, 1_000) == fire_id(SCHEDULE, 1, 1_000)
    assert fire_id(SCHEDULE, 1, 1_000) != fire_id(SCHEDULE, 2, 1_000)


def test_a_mark_reads_back_and_nothing_else_does():
    fire = fire_id(SCHEDULE, 1, 1_000)
    assert read_mark(mark(fire, 2)) == (fire, 2)
    for wrong in (None, 3, "", fire, f"{fire}:0", f"{SCHEDULE}:1", f"{fire}:x", f"{fire}:1\n"):
        assert read_mark(wrong) is None


def test_bytes_of_a_replica_leave_out_what_is_usual():
    usual, own = replica(), replica(grace_s=5, kwargs={"a": 1}, overlap="skip")

    assert set(json.loads(usual.encoded())) == {
        "id", "generation", "revision", "created_ms", "effective_ms", "name", "task", "specs",
    }  # fmt: skip
    assert json.loads(own.encoded()).keys() - json.loads(usual.encoded()).keys() == {
        "grace_s", "kwargs", "overlap",
    }  # fmt: skip
    assert read_replica(json.dumps(own.json()).encode()) == own


@pytest.mark.parametrize("slot", [0, 1_767_243_600_000])
def test_a_fire_is_named_as_uuids_of_version_5_are(slot):
    assert fire_id(SCHEDULE, 3, slot) == str(uuid5(UUID(SCHEDULE), f"3|{slot}"))
