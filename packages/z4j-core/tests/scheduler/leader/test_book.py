"""What a leader goes by: an edit is looked at alone, and nothing that changed is passed over."""

from __future__ import annotations

from uuid import UUID

import pytest
from z4j_core.scheduler.leader.book import Book
from z4j_core.scheduler.snapshot import Snapshot

GROUP = ("p", "e", "a")


def key(number):
    return UUID(int=number).bytes


def snapshot(revision, rows, changes=None):
    return Snapshot(1, revision, *GROUP, rows, {}, changes=changes)


FIRST = {key(n): b"row %d" % n for n in range(5)}
SECOND = {**FIRST, key(2): b"edited", key(7): b"added"}
del SECOND[key(4)]


class Unread(dict):
    """Schedules of which nobody may look at all."""

    def __iter__(self):
        raise AssertionError("all schedules were looked at")

    items = __iter__


@pytest.fixture
def book():
    found = Book()
    found.take(snapshot(1, FIRST))
    return found


def test_what_a_snapshot_says_it_changed_is_all_that_is_looked_at(book):
    changes = ((1, 1), frozenset({key(2), key(4), key(7), key(0)}))

    touched = book.take(snapshot(2, Unread(SECOND), changes))

    assert touched == [key(2), key(4), key(7)]


@pytest.mark.parametrize("since", [(1, 0), (0, 1), (1, 2)])
def test_a_change_since_another_snapshot_makes_the_book_look_at_all(book, since):
    touched = book.take(snapshot(3, SECOND, (since, frozenset({key(0)}))))

    assert sorted(touched) == [key(2), key(4), key(7)]


def test_after_another_led_all_is_new(book):
    book.clear()

    touched = book.take(snapshot(2, SECOND, ((1, 1), frozenset({key(2)}))))

    assert sorted(touched) == sorted(SECOND)
