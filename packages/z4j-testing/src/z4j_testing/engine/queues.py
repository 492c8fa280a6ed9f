"""Queues. The rule: counts are the broker's, looking changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from z4j_core import Capability, EventKind, Held

from .rig import Rig, kinds, needs, proves, without


def _filled(rig: Rig, count: int, **options: Any) -> tuple[str, list[str]]:
    queue = f"{rig.queue}-parked"
    rig.declare(queue)
    _emptied(rig, queue)
    return queue, [rig.send("ok", number, queue=queue, **options) for number in range(count)]


def _emptied(rig: Rig, queue: str) -> None:
    if rig.missing(Capability.PURGE) is None:
        rig.verb(Capability.PURGE, queue=queue)


class TestQueues:
    """Depth, peek, purge, pause."""

    @proves(Capability.DEPTH)
    def test_depth_counts_ready(self, rig: Rig) -> None:
        needs(rig, Capability.DEPTH)
        queue, ids = _filled(rig, 3)

        assert rig.verb(Capability.DEPTH, queue=queue).ready == len(ids)

        if rig.missing(Capability.PURGE) is None:
            rig.verb(Capability.PURGE, queue=queue)
            assert rig.verb(Capability.DEPTH, queue=queue).ready == 0

    def test_depth_counts_every_priority(self, rig: Rig) -> None:
        needs(rig, Capability.PURGE)
        without(rig, "priority")
        queue, ids = _filled(rig, 1)
        ids += [rig.send("ok", 1, queue=queue, priority=priority) for priority in (3, 6, 9)]

        assert rig.verb(Capability.DEPTH, queue=queue).ready == len(ids)

        assert rig.verb(Capability.PURGE, queue=queue) == len(ids)

    @proves(Capability.PEEK)
    def test_peek_changes_nothing(self, rig: Rig) -> None:
        needs(rig, Capability.PEEK)
        queue, ids = _filled(rig, 3)

        for _ in range(2):
            items: Sequence[Held] = rig.verb(Capability.PEEK, queue=queue, limit=2).items
            assert [(each.task_id, each.task) for each in items] == [
                (ids[0], rig.name("ok")),
                (ids[1], rig.name("ok")),
            ]
        assert rig.verb(Capability.DEPTH, queue=queue).ready == len(ids)
        rig.verb(Capability.PURGE, queue=queue)

    def test_peek_pages_to_the_end(self, rig: Rig) -> None:
        needs(rig, Capability.PEEK)
        queue, ids = _filled(rig, 3)

        first = rig.verb(Capability.PEEK, queue=queue, limit=2)
        second = rig.verb(Capability.PEEK, queue=queue, limit=2, cursor=first.cursor)

        assert [each.task_id for each in (*first.items, *second.items)] == ids
        assert second.cursor is None
        rig.verb(Capability.PURGE, queue=queue)

    def test_peek_never_unpickles(self, rig: Rig) -> None:
        needs(rig, Capability.PEEK)
        queue, _ = _filled(rig, 0)
        task_id = rig.hostile(queue)

        (held,) = rig.verb(Capability.PEEK, queue=queue, limit=5).items

        assert held.task_id == task_id
        assert rig.marks("loaded") == []
        rig.verb(Capability.PURGE, queue=queue)

    @proves(Capability.PURGE)
    def test_purge_counts_what_it_dropped(self, rig: Rig) -> None:
        needs(rig, Capability.PURGE)
        queue, ids = _filled(rig, 4)

        assert rig.verb(Capability.PURGE, queue=queue) == len(ids)
        assert rig.verb(Capability.PURGE, queue=queue) == 0

    def test_purge_leaves_other_queues(self, rig: Rig) -> None:
        needs(rig, Capability.PURGE)
        queue, ids = _filled(rig, 2)

        rig.verb(Capability.PURGE, queue=f"{rig.queue}-barrier")

        assert rig.verb(Capability.PURGE, queue=queue) == len(ids)

    @proves(Capability.PAUSE, Capability.RESUME)
    def test_pause_stops_new_starts_and_resume_lets_them(self, rig: Rig) -> None:
        needs(rig, Capability.PAUSE)
        rig.verb(Capability.PAUSE, queue=rig.queue)
        try:
            if rig.pool == "gevent":
                rig.quiet()  # the read under way when the pause came may still bring one
            task_id = rig.send("ok", 1)
            rig.quiet()
            assert EventKind.STARTED not in kinds(rig, task_id)
        finally:
            rig.verb(Capability.RESUME, queue=rig.queue)

        assert rig.end(task_id).kind is EventKind.SUCCEEDED
