"""Worker process models. The rule: whoever runs a task, its facts arrive."""

from __future__ import annotations

from z4j_core import EventKind

from .rig import Rig, skip


class TestProcesses:
    """Pools that fork."""

    def test_forked_children_report(self, rig: Rig) -> None:
        if rig.children == "none":
            skip("fork", "pool")
        token = f"{rig.queue}-child"
        task_id = rig.send("slow", token)
        rig.wait(task_id, EventKind.STARTED)

        children = {child.pid for child in rig.worker_now().children}

        rig.release(token)
        assert rig.end(task_id).pid in children

    def test_what_only_a_child_knows_is_told(self, rig: Rig) -> None:
        if rig.children == "none" or "ignore" in rig.lacks:
            skip("fork", "pool")

        assert rig.end(rig.send("ignored")).kind is EventKind.SUCCEEDED

    def test_a_child_for_each_task_reports(self, rig: Rig) -> None:
        if rig.children != "each":
            skip("fork per task", "pool")

        pids = [rig.end(rig.send("ok", number)).pid for number in range(3)]

        assert len(set(pids)) == len(pids)

    def test_a_respawned_child_reports(self, rig: Rig) -> None:
        if rig.children == "none":
            skip("fork", "pool")
        for _ in range(2):
            task_id = rig.send("crash")
            if "crash" in rig.lacks:  # nobody tells of it
                rig.wait(task_id, EventKind.STARTED)
            else:
                rig.end(task_id)

        known = "ok" if "ignore" in rig.lacks else "ignored"
        ends = [rig.end(rig.send(known, *[1] * (known == "ok"))) for _ in range(4)]

        assert {end.kind for end in ends} == {EventKind.SUCCEEDED}
        assert {end.detail for end in ends} == {None if known == "ok" else "ignored"}
