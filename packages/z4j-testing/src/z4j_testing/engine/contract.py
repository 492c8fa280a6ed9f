"""The contract itself: attaching, detaching and being found. The rule: nothing is left behind."""

from __future__ import annotations

import subprocess
import sys

from z4j_core import Engine

from ..recorder import Recorder
from .rig import Bench


def _python(code: str) -> str:
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class TestContract:
    """What each adapter owes before it is asked for anything."""

    def test_is_an_engine(self, bench: Bench) -> None:
        engine = bench.engine()

        assert isinstance(engine, Engine)
        assert engine.name == bench.module

    def test_attach_twice_reports_once(self, bench: Bench) -> None:
        engine, emit = bench.engine(), Recorder()
        engine.attach(emit)
        engine.attach(emit)

        task_id = bench.produce(engine)

        assert len(emit.of(task_id)) == 1
        engine.detach()

    def test_detach_restores_the_hook_lists(self, bench: Bench) -> None:
        engine = bench.engine()
        before = bench.hook_lists()
        engine.attach(Recorder())
        assert bench.hook_lists() != before

        engine.detach()

        assert bench.hook_lists() == before

    def test_silent_once_detached(self, bench: Bench) -> None:
        engine, emit = bench.engine(), Recorder()
        engine.attach(emit)
        engine.detach()

        bench.produce(engine)

        assert emit.events == []

    def test_detach_is_idempotent(self, bench: Bench) -> None:
        engine = bench.engine()
        before = bench.hook_lists()
        engine.detach()
        engine.attach(Recorder())
        engine.detach()

        engine.detach()

        assert bench.hook_lists() == before

    def test_importing_the_adapter_starts_nothing(self, bench: Bench) -> None:
        said = _python(
            f"import sys, threading, {bench.package}\n"
            f"print({bench.module!r} in sys.modules, threading.active_count())"
        )

        assert said == "False 1"

    def test_two_apps_in_one_process_are_two_engines(self, bench: Bench) -> None:
        one, two = bench.engine(), bench.engine()
        seen_by_one, seen_by_two = Recorder(), Recorder()
        one.attach(seen_by_one)
        two.attach(seen_by_two)

        sent = bench.produce(two)

        assert seen_by_one.events == []
        assert [event.task_id for event in seen_by_two.events] == [sent]
        one.detach()
        two.detach()

    def test_an_instance_made_before_attach_is_found(self, bench: Bench) -> None:
        engine = bench.engine()

        assert any(each.app == engine.app for each in bench.detected(engine))

    def test_a_raising_hook_never_reaches_the_host(self, bench: Bench) -> None:
        class Broken(Recorder):
            def __call__(self, event: object) -> None:
                raise RuntimeError(event)

        engine, emit = bench.engine(), Broken()
        engine.attach(emit)

        assert bench.produce(engine)

        assert [type(error) for error in emit.hook_errors] == [RuntimeError]
        engine.detach()
