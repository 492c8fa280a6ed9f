"""Every item and every body: what is packed is what is read, and tables say what classes say."""

import dataclasses
import types
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from z4j_core.errors import WireError
from z4j_core.wire import RecordType, pack, pack_item, unpack, unpack_item
from z4j_core.wire.bodies import Command, Register, Welcome
from z4j_core.wire.frames import FRAMES, pack_body, unpack_body
from z4j_core.wire.items import ITEMS, Lost, Result, Tag, Task, span
from z4j_core.wire.schema import Rule, cut, fields_of, read_row
from z4j_testing.wire import REGISTER, WELCOME, sample_task

_BITS = {"u8": (0, 8), "u16": (0, 16), "u32": (0, 32), "u64": (0, 64), "t": (0, 64)}
_SIGNED = {"i8": 8, "i32": 32, "i64": 64}
TEXT = st.characters(codec="utf-8")


def _map(limit):
    inner = st.none() | st.integers(0, 2**64 - 1) | st.text(TEXT, max_size=8)
    return st.dictionaries(st.text(TEXT, max_size=8), inner, max_size=limit)


def _simple(label):
    if label in _BITS:
        return st.integers(0, 2 ** _BITS[label][1] - 1)
    if label in _SIGNED:
        return st.integers(-(2 ** (_SIGNED[label] - 1)), 2 ** (_SIGNED[label] - 1) - 1)
    if label.startswith("str"):
        return st.text(TEXT, max_size=min(int(label.split()[-1]), 20))
    if label.startswith("map str"):
        return st.dictionaries(st.text(TEXT, max_size=5), st.text(TEXT, max_size=5), max_size=4)
    if " | " in label:
        return st.sampled_from(label.split(" | "))
    if label.startswith("bin") and label[3:].isdigit():
        return st.binary(min_size=int(label[3:]), max_size=int(label[3:]))
    return {
        "bin": st.binary(max_size=20),
        "bool": st.booleans(),
        "f64": st.floats(allow_nan=False, allow_infinity=False),
        "map": _map(4),
        "array": st.lists(st.integers(0, 9), max_size=4),
    }[label]


def values(hint: Any) -> st.SearchStrategy:
    """Values an annotation allows."""
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (one for one in get_args(hint) if one is not type(None))
        return st.none() | values(inner)
    if get_origin(hint) is Annotated:
        base, note = get_args(hint)
        return _simple(note.label) if isinstance(note, Rule) else values(base)
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    return rows(hint)


def rows(kind: type) -> st.SearchStrategy:
    hints = get_type_hints(kind, include_extras=True)
    return st.builds(kind, **{name: values(hint) for name, hint in hints.items()})


def items(tag):
    return rows(ITEMS[tag]).map(lambda item: item._replace(tag=tag))


ROWS = [f.number for f in FRAMES.values() if f.shape in ("row", "map")]
LISTS = [f.number for f in FRAMES.values() if f.shape == "rows"]
few = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@pytest.mark.parametrize("tag", list(ITEMS))
@few
@given(data=st.data())
def test_an_item_survives_the_wire(tag, data):
    item = data.draw(items(tag))

    packed = pack_item(item)

    assert unpack_item(packed) == item
    last = next(value for value in reversed(item) if value is not None)
    assert packed[-1] != 0xC0 or isinstance(last, dict | tuple)


@pytest.mark.parametrize("type_", ROWS)
@few
@given(data=st.data())
def test_a_body_survives_the_wire(type_, data):
    body = data.draw(rows(FRAMES[type_].body))

    assert unpack_body(type_, pack_body(body)) == body


@pytest.mark.parametrize("type_", LISTS)
@few
@given(data=st.data())
def test_a_list_body_survives_the_wire(type_, data):
    body = tuple(data.draw(st.lists(rows(FRAMES[type_].body), max_size=4)))

    assert unpack_body(type_, pack_body(body)) == body


def test_done_is_a_list_of_handles():
    assert unpack_body(RecordType.DONE, pack_body([1, 2])) == (1, 2)
    with pytest.raises(WireError):
        unpack_body(RecordType.DONE, pack_body([65_536]))


def test_an_update_holds_any_keys_of_register_checked():
    policy = ["observe", b"\x01" * 8]

    body = unpack_body(
        RecordType.UPDATE, pack_body({"policy": policy, "later": 1, "release": None})
    )

    assert body == {"policy": tuple(policy), "release": None}
    with pytest.raises(WireError, match="pid: not u32"):
        unpack_body(RecordType.UPDATE, pack_body({"pid": -1}))
    with pytest.raises(WireError, match="not a map"):
        unpack_body(RecordType.UPDATE, pack_body([]))


def test_what_a_later_version_adds_is_ignored():
    longer = pack([*sample_task(1), "later", [1]])
    wider = pack({**unpack(pack_body(WELCOME)), "later": 1})

    assert unpack_item(longer) == sample_task(1)
    assert unpack_body(RecordType.WELCOME, wider) == WELCOME


def test_absent_keys_are_nil_and_nils_do_not_travel():
    packed = unpack(pack_body(REGISTER))

    assert "release" not in packed
    assert unpack_body(RecordType.REGISTER, pack_body(REGISTER)).release is None


@pytest.mark.parametrize("kind", [Register, Welcome])
def test_a_required_key_may_not_be_missing(kind):
    number = RecordType.REGISTER if kind is Register else RecordType.WELCOME
    whole = unpack(pack_body(REGISTER if kind is Register else WELCOME))
    required = [field.name for field in fields_of(kind) if field.required]

    assert required
    for name in required:
        with pytest.raises(WireError, match=f"{name}: missing"):
            unpack_body(number, pack({k: v for k, v in whole.items() if k != name}))


@pytest.mark.parametrize("kind", [*ITEMS.values(), Command])
def test_a_row_may_end_before_a_default_but_not_before_a_required_field(kind):
    required = sum(field.required for field in fields_of(kind))

    with pytest.raises(WireError) as error:
        read_row(kind, [1] * 0)

    assert error.value.kind == "Malformed"
    assert 0 < required <= len(fields_of(kind))


def test_nil_is_refused_where_a_value_is_due():
    row = list(sample_task(1))
    row[3] = None

    with pytest.raises(WireError, match="at: not t"):
        unpack_item(pack(row))


@pytest.mark.parametrize("value", [True, -1, 256, 1.0, "1", None, [1]])
def test_a_number_is_a_number_of_its_range(value):
    with pytest.raises(WireError, match="kind: not u8"):
        unpack_item(pack([1, value, *sample_task(1)[2:]]))


def test_a_float_may_be_sent_as_an_integer_but_not_as_text():
    progress = [2, 1, "toy", "app", "id", 1, 1, 3]

    assert unpack_item(pack(progress)).current == 3.0
    with pytest.raises(WireError, match="current: not f64"):
        unpack_item(pack([*progress[:7], "3"]))


def test_a_row_is_an_array_and_not_anything_else():
    with pytest.raises(WireError, match="Preview is not an array"):
        unpack_item(pack(cut(sample_task(1, args={"a": 1}))))


def test_lists_are_bounded():
    command = [b"c" * 16, "retry", "toy", "app", ["x"] * 201, {}, 1, ["u", "U", "web"], ""]

    with pytest.raises(WireError, match="at most 200"):
        unpack_body(RecordType.COMMAND, pack(command))


@pytest.mark.parametrize("value", [[], [[1]], ["1"], {}, 1, None, [None]])
def test_an_item_starts_with_its_tag(value):
    with pytest.raises(WireError) as error:
        unpack_item(pack(value))

    assert error.value.kind == "Malformed"


def test_an_unknown_tag_is_told_from_a_broken_item():
    with pytest.raises(WireError) as error:
        unpack_item(pack([7, 1]))

    assert error.value.kind == "Type"


def test_large_items_extras_and_evidence_are_refused():
    result = Result(Tag.RESULT, 1, b"c" * 16, 2, "", "", {"e": "x" * 12_300})
    for item in (sample_task(1, extra={"e": "x" * 1_024}), result):
        with pytest.raises(WireError) as error:
            unpack_item(pack_item(item))
        assert error.value.kind == "Size"
    with pytest.raises(WireError) as error:
        unpack_item(bytes(16_385))
    assert error.value.kind == "Size"


def test_a_task_has_45_positions_where_they_are_documented():
    names = dict(enumerate(Task._fields))

    assert len(names) == 45
    documented = {0: "tag", 8: "attempt", 12: "pid", 18: "expires", 21: "timeout_ms", 22: "args",
                  27: "traceback", 31: "retry_of", 32: "via", 37: "traceparent",
                  39: "flags", 43: "extra", 44: "received"}  # fmt: skip
    assert {n: names[n] for n in documented} == documented


def test_a_lost_item_spans_offsets_and_others_their_own():
    assert span(Lost(0, 1, 5, 9), 3) == 9
    assert span(Lost(0, 1, 5, 0), 3) == 3
    assert span(sample_task(1), 3) == 3


def test_bodies_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        REGISTER.pid = 1
