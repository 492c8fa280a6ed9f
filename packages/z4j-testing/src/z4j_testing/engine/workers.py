"""Workers. The rule: what is shown is what the worker is, not what it was told to be."""

from __future__ import annotations

from z4j_core import Capability, EventKind

from ..signals import eventually
from .rig import Rig, needs, proves

PER_S = 4.0


def _size(rig: Rig) -> int | None:
    """How many tasks the worker runs at a time, told by its children where it has some."""
    worker = rig.worker_now()
    return worker.slots if rig.children == "none" else len(worker.children)


class TestWorkers:
    """Inventory and size."""

    @proves(Capability.WORKERS)
    def test_a_worker_shows_its_pool_queues_and_running_task(self, rig: Rig) -> None:
        needs(rig, Capability.WORKERS)
        token = f"{rig.queue}-shown"
        task_id = rig.send("slow", token)
        rig.wait(task_id, EventKind.STARTED)

        worker = rig.worker_now()

        rig.release(token)
        assert rig.end(task_id).worker == worker.id
        assert worker.pool == rig.pool
        assert rig.queue in worker.queues
        assert task_id in worker.running

    @proves(Capability.FETCH)
    def test_fetch_finds_what_the_worker_holds(self, rig: Rig) -> None:
        needs(rig, Capability.FETCH)
        token = f"{rig.queue}-held"
        task_id = rig.send("slow", token)
        rig.wait(task_id, EventKind.STARTED)

        held = rig.verb(Capability.FETCH, task_id=task_id)

        rig.release(token)
        rig.end(task_id)
        assert (held.task_id, held.task, list(held.args)) == (task_id, rig.name("slow"), [token])

    @proves(Capability.POOL)
    def test_pool_changes_size(self, rig: Rig) -> None:
        needs(rig, Capability.POOL)
        worker = rig.worker_now()
        before = worker.slots or 0

        assert rig.verb(Capability.POOL, worker_id=worker.id, delta=1) == before + 1
        eventually(lambda: _size(rig) == before + 1, "one more of them")
        assert rig.verb(Capability.POOL, worker_id=worker.id, delta=-1) == before

    @proves(Capability.RESTART)
    def test_restart_comes_back(self, rig: Rig) -> None:
        needs(rig, Capability.RESTART)
        worker = rig.worker_now()
        before = {child.pid for child in worker.children}

        rig.verb(Capability.RESTART, worker_id=worker.id)

        # A pool may let each child end with its next task.
        told = [rig.end(rig.send("ok", number)).pid for number in range(3 * len(before))]
        assert all(told.count(pid) <= 1 for pid in before)
        assert told[-1] not in before

    @proves(Capability.RATE_LIMIT)
    def test_a_rate_limit_spreads_starts(self, rig: Rig) -> None:
        needs(rig, Capability.RATE_LIMIT)
        rig.verb(Capability.RATE_LIMIT, task=rig.name("limited"), per_second=PER_S)
        try:
            ids = [rig.send("limited") for _ in range(5)]
            starts = [rig.end(each).result for each in ids]
        finally:
            rig.verb(Capability.RATE_LIMIT, task=rig.name("limited"), per_second=None)

        assert max(starts) - min(starts) > 1 / PER_S
