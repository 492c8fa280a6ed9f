"""Writes down what an agent of this version and its brain say to each other, body by body.

    python spec/spoken/record.py        makes spec/spoken/<version>.json

The rule: made again until that version is released, and never changed afterwards. Later versions
read each file of the three minors before them: see `test_w32_…`.
"""
# ruff: noqa: INP001  a script beside the documents

from __future__ import annotations

import json
import platform
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "packages/z4j-core/tests/agent"))

from homes import schedule  # noqa: E402 - the directory is put on the path above
from toy import ToyEngine  # noqa: E402
from z4j_core import EventKind, TaskEvent, Worker  # noqa: E402
from z4j_core.agent import meta  # noqa: E402
from z4j_core.agent.boot import Handle  # noqa: E402
from z4j_core.config import load  # noqa: E402
from z4j_core.scheduler.leases.file import FileStore  # noqa: E402
from z4j_core.wire import BrainSession, Received, RecordType  # noqa: E402
from z4j_core.wire.bodies import Want  # noqa: E402
from z4j_core.wire.frames import pack_body  # noqa: E402
from z4j_core.wire.items import Fire  # noqa: E402
from z4j_testing import brain_link  # noqa: E402
from z4j_testing.brain import FakeBrain  # noqa: E402

VERSION = "2.0.0"
WAIT_S = 60.0
SNAPSHOTS = (1, 2, 3)
FACTS = 8
said: list[dict[str, Any]] = []


def note(speaker: str, type_: int, body: bytes) -> None:
    """Keep one record, without what changes each time: number and MAC."""
    said.append({"from": speaker, "type": RecordType(type_).name, "body": body.hex()})


class Overheard(BrainSession):
    """A brain's side of a session that tells what passes."""

    def receive(self, data: bytes, now: float) -> Received:
        """Hear the agent."""
        received = super().receive(data, now)
        note("agent", received.type, received.raw)
        return received

    def send(self, type_: int, body: Any) -> bytes:
        """Hear the brain."""
        record = super().send(type_, body)
        note("brain", type_, pack_body(body))
        return record


def heard(speaker: str, *types: str) -> Callable[[], bool]:
    """Whether somebody has said all of these by now."""
    return lambda: set(types) <= {one["type"] for one in said if one["from"] == speaker}


def tell(emit: Any) -> None:
    """Facts of every kind an engine states."""
    emit(TaskEvent(EventKind.ENQUEUED, "t1", task="shop.charge", queue="mail", args=[1, "pw"]))
    emit(TaskEvent(EventKind.STARTED, "t1", 1, "shop.charge", "mail", "w1", args=[1, "pw"]))
    emit(TaskEvent(EventKind.RETRYING, "t1", 1, "shop.charge", "mail", "w1", due_at=2e9,
                   error=KeyError("again"), runtime_s=0.5))  # fmt: skip
    emit(TaskEvent(EventKind.SUCCEEDED, "t1", 2, "shop.charge", "mail", "w1", result={"sum": 42},
                   runtime_s=0.25, priority=3, root_id="t0", parent_id="t0"))  # fmt: skip
    emit(TaskEvent(EventKind.SCHEDULED, "t2", task="shop.report", queue="mail", due_at=2e9))
    emit(TaskEvent(EventKind.FAILED, "t3", 1, "shop.report", "mail", "w1",
                   error=ValueError("no"), detail="timeout"))  # fmt: skip
    emit(TaskEvent(EventKind.CANCELLED, "t4", 1, "shop.report", "mail", detail="operator"))
    emit(TaskEvent(EventKind.EXPIRED, "t5", 1, "shop.report", "mail"))


def talk(brain: FakeBrain, home: Path) -> None:
    """One session in which each side says what it has to say."""
    brain.knobs.hb_ms = 4_000
    brain.schedules.store_of = lambda group: FileStore(
        str(home / "leases"), group, brain.clock.boottime
    )
    brain.publish("toy", "toyapp", schedule())
    given = {"dsn": brain.dsn, "spool_dir": str(home), "engines": ["none"], "allow": "all"}
    handle = Handle(load(given, environ={}, cwd=home))
    handle.start()
    engine = ToyEngine()
    handle.attach(engine)
    tell(engine.emit)
    link = brain.wait_for_agent(timeout_s=WAIT_S)
    engine.emit.worker_up(Worker("w1", "threads", 4))
    brain.wait_for(lambda: len(brain.store.tasks) >= FACTS, WAIT_S)
    link.send(RecordType.WANT, [Want(kind, "toy", "toyapp", 0) for kind in SNAPSHOTS])
    brain.wait_for(lambda: {one.kind for one in brain.store.snapshots} >= set(SNAPSHOTS), WAIT_S)
    for verb, target in (("depth", "mail"), ("cancel", "t9"), ("purge", "mail")):
        brain.result(brain.command(verb, "toy", "toyapp", [target]), WAIT_S)
    brain.wait_for(lambda: any(one.candidate for one in link.groups), WAIT_S)
    brain.wait_for(heard("agent", "BEAT", "UPDATE", "WANT", "LEASE"), WAIT_S)
    brain.wait_for(lambda: any(isinstance(item, Fire) for item in brain.store.items), WAIT_S)
    brain.flow(pause_ms=1)
    brain.abort(bytes(16), "no longer needed")
    handle.close()
    brain.wait_for(heard("agent", "CLOSE"), WAIT_S)


def main() -> int:
    """Write the file of this version."""
    brain_link.BrainSession = Overheard
    socket.gethostname = platform.release = meta.boot_id = lambda: "some"
    with tempfile.TemporaryDirectory() as home, FakeBrain() as brain:
        talk(brain, Path(home))
    told = {"version": VERSION, "said": said}
    (HERE / f"{VERSION}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
