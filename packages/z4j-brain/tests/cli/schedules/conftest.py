"""What tests of `z4j schedules` share: one served brain, its command line, an agent that tells."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from uuid import UUID

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def brain(tmp_path_factory):
    from served import served

    with served(tmp_path_factory.mktemp("schedules")) as running:
        yield running


@pytest.fixture
def run(brain, tmp_path, monkeypatch, capsys):
    """Run `z4j schedules …` with a token of the development project; (exit status, out, err)."""
    from served import PROJECT
    from z4j_core.cli.schedules import main

    token = json.loads((brain.home / "told.json").read_text())["token"]
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("Z4J_URL", brain.url)
    monkeypatch.setenv("Z4J_TOKEN", token)

    def command(*arguments):
        capsys.readouterr()
        code = main([*arguments, "--project", PROJECT])
        return code, *capsys.readouterr()

    return command


@pytest.fixture
def make(run, request):
    """Make a schedule named for the test."""
    from schedule_rows import HERE

    name = request.node.name.removeprefix("test_")[:36]

    def made(*fields, name=name):
        timing = (
            () if any(field.startswith("interval=") for field in fields) else ("cron=0 2 * * *",)
        )
        code, _, err = run("add", name, "task=shop.bill", *timing, *HERE, *fields)
        assert code == 0, err
        return name

    return made


@pytest.fixture(scope="session")
def teller(brain):
    """An agent that tells of fires as a leader does."""
    from desk import Desk, agent
    from z4j_core import EventKind, TaskDef, TaskEvent
    from z4j_core.agent.ledger import fire_line
    from z4j_core.scheduler.fires import fire_id
    from z4j_core.wire.codec import pack

    class Shop(Desk):
        """An engine that places what it is told to."""

        name = "celery"

        def enqueue(self, job):
            self.emit(TaskEvent(EventKind.ENQUEUED, job.id, 0, job.task, "pay"))
            return job.id

        def discover(self):
            return [TaskDef("shop.bill")]

    handle = agent(brain.home, brain.dsn)
    source = handle.process.add(Shop("shop")).source
    handle.process.begin()

    def tell(schedule, *lines):
        for status, trigger, more in lines:
            slot = more.pop("slot", schedule["next_slot_ms"])
            line = fire_line(
                source, slot * 1000, fire_id(schedule["id"], 1, slot),
                status, trigger=trigger, schedule=UUID(schedule["id"]).bytes, generation=1,
                slot=slot, slot_local="2027-01-01T02:00:00", **more,
            )  # fmt: skip
            handle.process.writer.append_control(pack(line))
        assert handle.flush(10)

    yield tell
    handle.close()
