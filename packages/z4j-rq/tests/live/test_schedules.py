"""Schedules fired by the agent of a real worker: the engine's own Redis keeps the leases."""

import time
from itertools import pairwise

import pytest
from rq_outside import RigOutside
from z4j_core.model.tasks import EventKind
from z4j_core.scheduler.document import Replica, read_definition
from z4j_core.wire.items import Fire
from z4j_testing.services import redis_url

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
ONE = "018f0000-0000-7000-8000-000000000001"
SENT, SKIPPED = 3, 4


@pytest.fixture
def rig(tmp_path):
    started = RigOutside(redis_url(8), "fork", tmp_path)
    yield started.start()
    started.stop()


def publish(rig, task, args, every_s, **rules):
    """One schedule of the worker's group; where its leases are must be its own business."""
    rig.brain.wait_for(lambda: leaders(rig), 60)
    group = leaders(rig)[0]
    now = int(time.time() * 1000)
    definition = read_definition({
        "name": "often", "task": task, "args": args, "queue": rig.queue, "grace_s": 1,
        "specs": [{"kind": "interval", "every": every_s, "anchor": "epoch"}], **rules,
    })  # fmt: skip
    replica = Replica(ONE, 1, 1, now, now, definition)
    rig.brain.publish(*group, {ONE: replica.encoded()}, store={"ttl_ms": 6_000})


def leaders(rig):
    return [
        (group.engine, group.app)
        for link in rig.brain.links
        for group in link.groups
        if group.candidate
    ]


def fires(rig, status):
    return [i for i in rig.brain.store.items if isinstance(i, Fire) and i.status == status]


def test_a_schedule_runs_in_the_horse_and_its_facts_say_which_fire_it_was(rig):
    publish(rig, "rq_shop.ok", [1], 2)

    rig.brain.wait_for(lambda: len(fires(rig, SENT)) >= 2, 60)
    fire = fires(rig, SENT)[0]
    task_id = "-".join(
        fire.fire_id.hex()[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
    )
    assert rig.end(task_id).kind is EventKind.SUCCEEDED


def test_a_run_that_goes_on_in_the_horse_holds_the_next_one_up_and_its_end_lets_it_go(rig):
    publish(rig, "rq_shop.pause", [3.5], 1, overlap="skip")

    rig.brain.wait_for(lambda: len(fires(rig, SENT)) >= 3, 90)

    sent = [fire.slot for fire in sorted(fires(rig, SENT), key=lambda fire: fire.slot)]
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert min(gaps) >= 3_000, "never two at a time"
    assert max(gaps) <= 15_000, "the end of a run is heard"
    assert fires(rig, SKIPPED)
