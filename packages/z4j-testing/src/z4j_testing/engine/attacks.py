"""A broker that somebody else writes to. The rule: what it holds is shown or refused, never run.

An adapter gives a fixture `table`, of the scope of its module: an engine and a broker's queue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import thread_time
from typing import Any, Protocol

import pytest
from z4j_core import Engine, EngineError, EventKind, Native, TaskEvent
from z4j_core.agent.boot import Handle
from z4j_core.config import load
from z4j_core.invoke import attempt

from ..attacks import Watch, attacks
from ..brain import FakeBrain

LOOK_MS = 10.0
"""CPU that a look at one message may cost."""
_AGAIN = 4
Acts = Mapping[str, Callable[[], object]]


class Table(Protocol):
    """An engine before whom bytes are put as its broker would hold them."""

    engine: Engine

    def served(self, mark: str) -> Iterator[tuple[str, Acts]]:
        """Put attacks that would write the file `mark`, each by its name in place of the last.

        First comes a message that does no harm: what looking at that one costs is not counted.
        With it comes every way of the adapter to look at the message, to move it, or to send it
        again; what an act does must not keep the next ones from seeing the message.
        """
        ...


@dataclass(slots=True)
class Struck:
    """What became of all looks at all attacks."""

    looks: int = 0
    ran: list[str] = field(default_factory=list)
    broke: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    dearest_ms: float = 0.0
    """What the dearest look cost, beside what its verb costs anyway."""
    usual_ms: dict[str, float] = field(default_factory=dict)
    """What each verb costs before a harmless message, connecting and all."""

    def look(self, verb: str, act: Callable[[], object], attack: str = "nothing") -> None:
        """Let an act look; that it refuses is as good as that it shows."""
        self.looks += 1
        name, most_ms = f"{verb} of {attack}", LOOK_MS + self.usual_ms.get(verb, 0.0)
        with Watch() as watch:
            spent_ms = self.spent_ms(name, act)
            for _ in range(_AGAIN if spent_ms > most_ms else 0):  # was it the machine?
                spent_ms = min(spent_ms, self.spent_ms(name, act))
        self.ran += [f"{name}: {each}" for each in watch.seen]
        self.dearest_ms = max(self.dearest_ms, spent_ms - self.usual_ms.get(verb, 0.0))
        if spent_ms > most_ms:
            self.slow.append(f"{name}: {spent_ms:.1f} ms")

    def spent_ms(self, name: str, act: Callable[[], object]) -> float:
        """CPU of this thread for one look."""

        def refused_or_done() -> None:
            with suppress(EngineError):
                act()

        before = thread_time()
        outcome = attempt(refused_or_done)
        spent_ms = (thread_time() - before) * 1000
        if not outcome.ok:
            self.broke.append(f"{name}: {outcome.detail}"[:300])
        return spent_ms


class TestAttacks:
    """Every attack, by every way to it."""

    @pytest.fixture(scope="class")
    @classmethod
    def struck(
        cls, table: Table, tmp_path_factory: pytest.TempPathFactory
    ) -> tuple[Struck, Path]:  # fmt: skip
        mark = tmp_path_factory.mktemp("attacks") / "loaded"
        _, first = next(iter(table.served(str(mark))))
        struck = Struck()
        for name, act in first.items():
            struck.usual_ms[name] = min(struck.spent_ms(name, act) for _ in range(_AGAIN))
        for attack, acts in table.served(str(mark)):
            for name, act in acts.items():
                struck.look(name, act, attack)
        return struck, mark

    def test_a12_nothing_a_broker_holds_is_run(self, struck: tuple[Struck, Path]) -> None:
        found, mark = struck

        assert found.looks >= len(attacks(""))
        assert found.ran == []
        assert not mark.exists()

    def test_a12_every_look_is_answered_or_refused(self, struck: tuple[Struck, Path]) -> None:
        assert struck[0].broke == []

    def test_a12_no_look_costs_ten_milliseconds(
        self, table: Table, struck: tuple[Struck, Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        found, _ = struck
        said = f"{found.looks} looks at attacks, the dearest cost {found.dearest_ms:.1f} ms"

        with capsys.disabled():
            print(f"\n{table.engine.name}: {said}")  # noqa: T201  (the figure that is asked for)
        assert found.slow == []

    def test_c19_a_record_that_was_swapped_for_an_attack_is_not_looked_at(
        self, table: Table, tmp_path: Path
    ) -> None:
        mark = tmp_path / "loaded"
        digest = hashlib.sha256(b"what failed").digest()
        with FakeBrain() as brain, _observed(brain, table.engine, tmp_path) as emit:
            for name, attack in attacks(str(mark)).items():
                native = Native("shop.ok", attack)
                emit(_failed(name, native))
                given = {"digests": [digest]}
                sent = brain.command("retry", table.engine.name, table.engine.app, [name], given)

                assert brain.result(sent).code == "replay.missing", name

        assert not mark.exists()


def _failed(name: str, native: Native) -> TaskEvent:
    return TaskEvent(EventKind.FAILED, name, 1, native.task, native=lambda: native)


class _observed:  # noqa: N801  (used as a function)
    """The real agent in front of an engine; gives what its hooks would call."""

    def __init__(self, brain: FakeBrain, engine: Engine, folder: Path) -> None:
        given = {"dsn": brain.dsn, "spool_dir": str(folder / "spool"), "engines": ["none"]}
        given |= {"allow": "all"}
        self._brain, self._engine = brain, engine
        self._handle = Handle(load(given, environ={}, cwd=folder))

    def __enter__(self) -> Any:
        self._handle.start()
        self._handle.attach(self._engine)
        assert self._handle.process is not None
        emit = self._handle.process.emitters[-1]
        emit(TaskEvent(EventKind.STARTED, "first", 1, "shop.ok"))
        self._brain.wait_for_agent(timeout_s=20)
        return emit

    def __exit__(self, *_: object) -> None:
        self._handle.close()
