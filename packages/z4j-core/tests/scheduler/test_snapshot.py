"""Sealed snapshots: what was changed, is older, or was sealed for others is not believed."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
from z4j_core.errors import StoreError
from z4j_core.scheduler.snapshot import (
    Gap,
    Snapshot,
    Unproven,
    applied,
    body_sha,
    bucketed,
    pages,
    prove,
    read,
    sealed_for,
    unbucketed,
    written,
)
from z4j_core.wire.codec import pack
from z4j_core.wire.codes import MAX_RECORD_BYTES, MAX_SCHEDULES_ARRAY
from z4j_core.wire.frames import unpack_body
from z4j_core.wire.keys import Credential, Secret

GROUP = ("demo", "toy", "shop")
KEY, OTHER = (Credential(bytes([n]) * 16, 1, Secret(bytes([n]) * 32)) for n in (1, 2))


def name(number):
    return UUID(int=number).bytes


def snapshot(revision, schedules, *, era=1, slots=None, keys=(KEY, OTHER), **more):
    slots = {} if slots is None else slots
    return sealed_for(Snapshot(era, revision, *GROUP, schedules, slots, **more), keys)


OLD = snapshot(4, {name(n): b"old %d" % n for n in range(300)}, slots={name(1): (1, 60_000)})
NEW = snapshot(
    5,
    {
        **{name(n): b"old %d" % n for n in range(300) if n != 7},
        name(3): b"new",
        name(900): b"added",
    },
    slots={name(1): (1, 120_000), name(3): (2, 60_000)},
    store={"kind": "redis"},
)


def travelled(parts):
    """The same pages after they were packed, sent and read."""
    return [unpack_body(14, pack(part)) for part in parts]


def proven(found, key=KEY, group=GROUP):
    prove(found, key, group)
    return found


def test_a_full_snapshot_arrives_whole_and_any_live_key_proves_it():
    found = applied(None, "demo", travelled(pages(NEW)))

    assert proven(found) == proven(found, OTHER) == NEW


def test_a_change_alone_leads_to_the_same_snapshot():
    parts = travelled(pages(NEW, OLD))

    found = proven(applied(OLD, "demo", parts))
    assert found._replace(changes=None) == NEW
    assert found.changes == (OLD.stand, {name(3), name(7), name(900)})
    assert sum(len(part.upserts) for part in parts) == 2
    assert [key for part in parts for key in part.deletes] == [name(7)]


def test_many_schedules_come_in_pages_that_fit_a_record():
    many = snapshot(1, {name(n): b"x" * 900 for n in range(20_000)}, slots={name(1): (1, 1)})
    parts = pages(many)

    assert max(len(pack(part)) for part in parts) < MAX_RECORD_BYTES
    assert [part.page for part in parts] == list(range(parts[0].pages))
    assert proven(applied(None, "demo", travelled(parts))) == many


def test_a_page_has_no_more_rows_than_the_wire_takes():
    gone = snapshot(1, {name(n): b"" for n in range(25_000)})

    parts = travelled(pages(snapshot(2, {}), gone))

    assert max(len(part.deletes) for part in parts) <= MAX_SCHEDULES_ARRAY
    assert applied(gone, "demo", parts).schedules == {}


@pytest.mark.parametrize(
    "held",
    [None, snapshot(3, {}), snapshot(4, {}, era=0)],
    ids=["nothing", "an older revision", "another era"],
)
def test_a_change_on_a_wrong_base_is_refused(held):
    with pytest.raises(Gap):
        applied(held, "demo", pages(NEW, OLD))


@pytest.mark.parametrize("held", [NEW, snapshot(6, {}), snapshot(1, {}, era=2)])
def test_what_is_not_newer_is_refused(held):
    with pytest.raises(StoreError, match="older"):
        applied(held, "demo", pages(NEW))


def test_a_later_era_is_newer_whatever_its_revision():
    restored = snapshot(2, {}, era=2)

    assert applied(NEW, "demo", pages(restored, NEW)) == restored
    assert restored.rev > NEW.rev


def test_s10_a_snapshot_that_was_edited_is_not_believed():
    for edited in (
        NEW._replace(schedules={**NEW.schedules, name(3): b"evil"}),
        NEW._replace(revision=6),
        NEW._replace(last_slots={}),
        NEW._replace(store=None),
        NEW._replace(revoked=frozenset({(bytes(16), 1)})),
        NEW._replace(sha=bytes(32)),
    ):
        with pytest.raises(Unproven):
            proven(edited)


def test_who_knows_no_key_cannot_seal_again():
    stranger = Credential(KEY.cred_id, KEY.kid, Secret(bytes(32)))
    forged = sealed_for(NEW._replace(schedules={name(3): b"evil"}), [stranger])

    with pytest.raises(Unproven, match="seal"):
        proven(forged)


def test_a_snapshot_of_another_group_is_not_believed():
    with pytest.raises(Unproven, match="another group"):
        proven(NEW, group=("demo", "toy", "staging"))


def test_a_key_that_is_rotated_in_proves_what_was_sealed_for_both():
    newer = Credential(KEY.cred_id, 2, Secret(b"n" * 32))
    rotated = snapshot(6, {}, keys=(KEY, newer))

    assert proven(rotated) == proven(rotated, newer)
    with pytest.raises(Unproven, match="not sealed for this key"):
        proven(NEW, newer)


def test_a_revoked_key_proves_nothing():
    with pytest.raises(Unproven, match="not sealed for this key"):
        proven(snapshot(6, {}, revoked=frozenset({(KEY.cred_id, KEY.kid)})))


def test_a_store_and_a_file_give_back_what_was_sealed():
    assert proven(unbucketed(bucketed(NEW))) == NEW
    assert proven(read(written(NEW))) == NEW


def test_an_edit_rewrites_the_buckets_it_touches_and_no_others():
    whole, change = bucketed(OLD), bucketed(NEW, OLD)

    assert len(change.buckets) <= 4 < len(whole.buckets)
    assert proven(unbucketed(change._replace(buckets={**whole.buckets, **change.buckets}))) == NEW


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x92\xc4\x01\x00\x90", written(NEW)[:-9]])
def test_what_is_no_snapshot_is_not_believed(data):
    with pytest.raises(Unproven):
        read(data)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 255, 256, 257, 600])
def test_the_sum_of_the_pieces_is_that_of_the_body_as_a_whole(count):
    rows = {name(number): b"row %d" % number for number in range(count)}
    slots = dict.fromkeys(list(rows)[: count // 2], (2, 60000))
    of = Snapshot(3, 7, *GROUP, rows, slots, {"b": 1, "a": 2}, frozenset({(b"b", 2), (b"a", 1)}))

    body = [
        3, 7, *GROUP, {"a": 2, "b": 1}, sorted(rows.items()),
        [[key, 2, 60_000] for key in sorted(slots)], [[b"a", 1], [b"b", 2]],
    ]  # fmt: skip
    assert body_sha(of) == hashlib.sha256(pack(body)).digest()
