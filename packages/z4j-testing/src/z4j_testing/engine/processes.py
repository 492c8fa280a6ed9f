"""Worker process models. The rule: whoever runs a task, its facts arrive."""

from __future__ import annotations

from z4j_core import EventKind

from .rig import Rig, skip


class TestProcesses:
    """Pools that fork."""

    def test_forked_children_report(self, rig: Rig) -> None:
        if rig.pool != "prefork":
            skip("fork", "pool")
        worker = rig.worker_now()

        end = rig.end(rig.send("ignored"))

        assert end.kind is EventKind.SUCCEEDED
        started = rig.end(rig.send("ok", 1))
        assert started.pid in {child.pid for child in worker.children}

    def test_a_respawned_child_reports(self, rig: Rig) -> None:
        if rig.pool != "prefork":
            skip("fork", "pool")
        for _ in range(2):
            rig.end(rig.send("crash"))

        ends = [rig.end(rig.send("ignored")) for _ in range(4)]

        assert {end.detail for end in ends} == {"ignored"}
