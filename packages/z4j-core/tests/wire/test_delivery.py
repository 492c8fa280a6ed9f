"""Batches against watermarks: stored + lost = produced, whatever is sent again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.errors import WireError
from z4j_core.wire import Poison, Watermark, admit, decode_events, events_body, pack, pack_item
from z4j_core.wire.events import Head, split_events
from z4j_core.wire.items import Lost, Tag
from z4j_testing.wire import sample_task

T = sample_task(1)


def lost(n, to):
    return Lost(Tag.LOST, 1, n, to)


@pytest.mark.parametrize(
    ("upto", "first", "items", "skip", "missing", "after"),
    [
        (0, 1, [T, T], 0, 0, 2),
        (2, 1, [T, T], 2, 0, 2),
        (2, 1, [T, T, T], 2, 0, 3),
        (2, 3, [], 0, 0, 2),
        (0, 1, [lost(5, 5), T], 0, 5, 6),
        (0, 1, [lost(1, 0), T], 0, 1, 2),
        (3, 1, [lost(5, 5), T], 0, 2, 6),
        (5, 1, [lost(5, 5), T], 1, 0, 6),
        (4, 1, [lost(2, 5)], 0, 1, 5),
    ],
)
def test_only_what_is_new_counts(upto, first, items, skip, missing, after):
    admitted = admit(Watermark(1, upto), 1, first, items)

    assert admitted == (skip, missing, Watermark(1, after))


def test_a_newer_epoch_is_taken_over():
    assert admit(Watermark(1, 5), 2, 6, [T]).mark == Watermark(2, 6)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=30), st.data())
def test_any_resending_stores_each_item_once(sizes, data):
    """Batches arrive, are cut off before their ack, and come again from any earlier offset."""
    mark, stored, total = Watermark(1, 0), [], sum(sizes)
    while mark.upto < total:
        first = data.draw(st.integers(1, mark.upto + 1))
        count = data.draw(st.integers(1, 25))
        batch = [sample_task(n) for n in range(first, min(first + count, total + 1))]

        admitted = admit(mark, 1, first, batch)
        stored += batch[admitted.skip :]
        if admitted.mark == mark:
            admitted = admit(mark, 1, mark.upto + 1, [sample_task(mark.upto + 1)])
            stored.append(sample_task(admitted.mark.upto))
        mark = admitted.mark

    assert stored == [sample_task(n) for n in range(1, total + 1)]


@pytest.mark.parametrize("count", [0, 1, 15, 16, 500])
def test_a_batch_splits_into_the_bytes_it_was_made_of(count):
    bodies = [pack_item(sample_task(n)) for n in range(count)]

    head, raw = split_events(events_body(Head(7, 2**40, 50), bodies))

    assert (head, list(raw)) == ((7, 2**40, 50), bodies)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "Malformed"),
        (b"\xc0", "Malformed"),
        (b"\x93\x01\x01\x00", "Malformed"),
        (pack([-1, 1, 0, []]), "Malformed"),
        (pack([1, 1, 0, {}]), "Malformed"),
        (pack([1, 1, 0]) + b"\x91", "Malformed"),
        (pack([1, 1, 0, [1, 2]])[:-1], "Malformed"),
        (b"\x94\x01\x01\x00\xdc\x10\x01" + b"\xc0" * 4_097, "Malformed"),
        (b"\x94\x01\x01\x00\x91" + b"\x91" * 5_000, "Depth"),
    ],
)
def test_a_batch_that_is_none_is_refused(body, kind):
    with pytest.raises(WireError) as error:
        decode_events(body)

    assert error.value.kind == kind


def test_a_longer_batch_of_a_later_version_is_read():
    assert decode_events(pack([1, 1, 0, [list(sample_task(1))], "later"])).items == (T,)


def test_poison_keeps_its_bytes_and_its_reason():
    batch = decode_events(pack([1, 1, 0, [[9], [1], list(T)]]))

    kinds = [one.error.kind if isinstance(one, Poison) else "ok" for one in batch.items]
    assert kinds == ["Type", "Malformed", "ok"]
    assert batch.raw[0] == pack([9])
