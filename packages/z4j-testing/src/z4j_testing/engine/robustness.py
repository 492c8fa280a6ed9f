"""What must never happen to the host. The rule: its call is made once, unchanged."""

from __future__ import annotations

from .rig import Rig


class TestRobustness:
    """After everything else ran on the same worker."""

    def test_args_are_never_extended(self, rig: Rig) -> None:
        rig.end(rig.send("echo", "only"))

        assert rig.marks("echo")[-1] == [["only"], {}]

    def test_no_hook_failed(self, rig: Rig) -> None:
        rig.end(rig.send("ok", 1))

        assert list(rig.hook_errors()) == []
