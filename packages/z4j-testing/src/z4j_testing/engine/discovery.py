"""What an adapter says about registered tasks. The rule: looking imports nothing."""

from __future__ import annotations

import sys

from z4j_core import TaskDef

from .rig import Rig


def _found(rig: Rig) -> dict[str, TaskDef]:
    return {each.name: each for each in rig.engine.discover()}


class TestDiscovery:
    """Registered tasks, by the engine of this process."""

    def test_registered_tasks_are_listed_with_parameters(self, rig: Rig) -> None:
        found = _found(rig)[rig.name("ok")]

        assert [(each.name, each.has_default, each.default) for each in found.params] == [
            ("a", False, None),
            ("b", True, "2"),
        ]

    def test_a_method_bound_to_its_task_hides_self(self, rig: Rig) -> None:
        assert [each.name for each in _found(rig)[rig.name("flaky")].params] == ["n"]

    def test_engine_internals_are_not_listed(self, rig: Rig) -> None:
        assert not [name for name in _found(rig) if name.startswith(f"{rig.engine.name}.")]

    def test_discovery_imports_nothing_new(self, rig: Rig) -> None:
        _found(rig)
        before = set(sys.modules)

        _found(rig)

        assert set(sys.modules) == before

    def test_an_unchanged_task_is_described_once(self, rig: Rig) -> None:
        first, second = _found(rig), _found(rig)

        assert all(first[name] is second[name] for name in first)
