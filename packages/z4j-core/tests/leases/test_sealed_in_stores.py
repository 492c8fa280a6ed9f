"""S10 in a store: what was edited there is not believed, and what was put is whole again."""

from __future__ import annotations

from uuid import UUID

import pytest
from lease_services import OnFile
from z4j_core.scheduler.snapshot import Snapshot, Unproven, bucketed, prove, sealed_for, unbucketed
from z4j_core.wire.keys import Credential, Secret

GROUP = ("demo", "toy", "shop")
KEY, NEXT = (Credential(bytes([n]) * 16, 1, Secret(bytes([n]) * 32)) for n in (1, 2))


@pytest.fixture
def store(tmp_path):
    store = OnFile(str(tmp_path / "leases"), "/".join(GROUP))()
    yield store
    store.close()


def snapshot(revision, numbers, keys=(KEY, NEXT)):
    schedules = {UUID(int=number).bytes: b"of %d" % revision for number in numbers}
    return sealed_for(Snapshot(1, revision, *GROUP, schedules, {}), keys)


def read(store, key=KEY):
    found = unbucketed(store.snapshot())
    prove(found, key, GROUP)
    return found


def test_a_snapshot_put_whole_leaves_nothing_of_the_one_before(store):
    store.put_snapshot(bucketed(snapshot(1, range(500))))

    store.put_snapshot(bucketed(snapshot(2, [3])))

    assert read(store) == snapshot(2, [3])


def test_a_snapshot_put_by_its_changes_is_the_same(store):
    old, new = snapshot(1, range(500)), snapshot(2, range(1, 40))
    store.put_snapshot(bucketed(old))

    store.put_snapshot(bucketed(new, old))

    assert read(store) == new


def test_s10_a_bucket_edited_in_the_store_fails_the_seal(store):
    store.put_snapshot(bucketed(snapshot(1, [1, 2])))
    kept = store.snapshot()
    number = next(number for number, rows in kept.buckets.items() if b"of 1" in rows)
    edited = kept.buckets[number].replace(b"of 1", b"of 9")

    store.put_snapshot(kept._replace(rev="000001.000000000002", buckets={number: edited}))

    with pytest.raises(Unproven, match="changed"):
        read(store)


def test_a_key_that_replaced_another_proves_what_was_sealed_for_both(store):
    store.put_snapshot(bucketed(snapshot(1, [1])))

    assert read(store, KEY) == read(store, NEXT)
