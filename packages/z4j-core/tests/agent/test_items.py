"""Items keep their positions and their bounds, and the wire reads every one of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from z4j_core import ErrorText, EventKind, Native, TaskEvent
from z4j_core.agent.boundary import pack
from z4j_core.agent.items import (
    MAX_ITEM,
    Source,
    blank_of,
    cut_to_size,
    fill,
    is_plain,
    name,
    tail,
    trimmed,
)
from z4j_core.agent.previews import Shown
from z4j_core.config import Settings
from z4j_core.wire.items import Task, unpack_item

SOURCE = Source("toy", "app")
PREVIEWS = Shown(Settings(), lambda: None)

maybe_text = st.none() | st.text(max_size=300)
maybe_time = st.none() | st.floats(0, 4e9)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
events = st.builds(
    TaskEvent,
    kind=st.sampled_from(EventKind),
    task_id=st.text(min_size=1, max_size=400),
    attempt=st.integers(-5, 100_000),
    task=maybe_text,
    queue=maybe_text,
    worker=maybe_text,
    args=st.none() | st.lists(values, max_size=4),
    kwargs=st.none() | st.dictionaries(st.text(), values, max_size=4),
    result=values,
    error=st.none() | st.builds(ErrorText, st.text(), st.text(), maybe_text),
    tries_left=st.none() | st.integers(-5, 100_000),
    due_at=maybe_time,
    expires_at=maybe_time,
    priority=st.none() | st.integers(),
    start=maybe_time,
    runtime_s=st.none() | st.floats(0, 1e6),
    timeout_s=st.none() | st.floats(0, 4e6),
    root_id=maybe_text,
    parent_id=maybe_text,
    detail=maybe_text,
    route=maybe_text,
    headers=st.none() | st.dictionaries(st.text(), values, max_size=20),
    tags=st.none() | st.dictionaries(st.text(), st.text(max_size=300), max_size=20),
)


def task_item(event):
    parts = blank_of(SOURCE)
    fill(parts, event, 1_000_000, PREVIEWS)
    return trimmed(parts + tail(event, PREVIEWS))


@settings(max_examples=150, deadline=None)
@given(events)
def test_every_event_becomes_an_item_the_wire_reads(event):
    item = task_item(event)

    body = cut_to_size(item, pack)

    read = unpack_item(body)
    assert isinstance(read, Task)
    assert (read.kind, read.at, read.engine) == (event.kind, 1_000_000, "toy")


def test_an_oversized_item_is_cut_in_order_and_says_so():
    huge = (0, 9000, "ü" * 3900)
    item = list(task_item(TaskEvent(EventKind.FAILED, "t")))
    item += [None] * (44 - len(item))
    item[22] = item[23] = item[24] = item[27] = huge
    item[32] = item[39] = 0
    item[41], item[43] = {"h": "x" * 200}, {"e": "x" * 500}

    read = unpack_item(cut_to_size(tuple(item), pack))

    assert len(pack(item)) > MAX_ITEM
    assert (read.extra, read.headers) == (None, None)
    assert read.traceback.flags & read.result.flags & 2
    assert read.args == huge


def test_a_long_name_keeps_its_beginning_and_stays_unique():
    one, other = name("x" * 300 + "1"), name("x" * 300 + "2")

    assert len(one) == 256
    assert one[:223] == "x" * 223
    assert one != other


def test_the_message_behind_an_end_matters_only_where_it_can_be_sent_again():
    def native() -> Native:
        raise AssertionError("asked for")

    assert is_plain(TaskEvent(EventKind.SUCCEEDED, "a", native=native))
    assert not is_plain(TaskEvent(EventKind.FAILED, "a", native=native))
    assert not is_plain(TaskEvent(EventKind.SUCCEEDED, "a", native=native, detail="ignored"))
    assert not is_plain(TaskEvent(EventKind.SUCCEEDED, "a", retry_of="b"))
