"""Whatever is wrong costs one clear line, never an exception or a wait in the app."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from z4j_core import EventKind, Native, TaskEvent
from z4j_core.agent import boot
from z4j_core.errors import ConfigError
from z4j_core.wire import CloseCode

STARTED, FAILED = EventKind.STARTED, EventKind.FAILED


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __repr__


@pytest.fixture
def lines(caplog):
    """Log lines of z4j at WARNING or above; `lines()` reads them."""
    caplog.set_level(logging.INFO, "z4j")

    def read(level=logging.WARNING):
        return [r.getMessage() for r in caplog.records if r.name == "z4j" and r.levelno >= level]

    return read


def test_a_wrong_secret_is_one_line_that_names_the_causes(brain, start, lines):
    brain.keys.clear()

    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))

    seen = wait_until(lambda: [line for line in lines() if "Z4J-E110" in line])
    assert len(seen) == 1
    assert handle.status()["trouble"].startswith("Z4J-E110")


@pytest.mark.parametrize(
    ("refuse", "code"),
    [(4404, "Z4J-E112"), (4406, "Z4J-E113"), (4426, "Z4J-E114"), (4429, "Z4J-E115")],
)
def test_a_refusal_with_a_live_key_says_the_cause_of_the_brain(brain, start, lines, refuse, code):
    brain.knobs.refuse, brain.knobs.detail = refuse, "because of the moon"

    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))

    (line,) = wait_until(lambda: [line for line in lines() if code in line])
    assert "because of the moon" in line


def test_the_first_line_says_where_to_what_of_and_what_is_permitted(brain, start, lines):
    _, engine = start(allow="control")
    engine.emit(TaskEvent(STARTED, "t1"))

    (line,) = wait_until(lambda: [each for each in lines(logging.INFO) if "connected in" in each])
    assert re.fullmatch(
        rf"z4j: demo@127.0.0.1:{brain.port} · toy \(\d tasks?\) · redaction on · policy control · "
        r"connected in \d+ ms",
        line,
    )


def test_without_a_brain_the_first_line_says_the_same_and_that_events_are_kept(brain, start, lines):
    brain.stop()
    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))

    (line,) = wait_until(lambda: [each for each in lines(logging.INFO) if "Z4J-E106" in each])
    assert line.startswith(f"z4j: demo@127.0.0.1:{brain.port} · toy (")
    assert "connection refused" in line
    assert line.endswith("retrying; events are kept (0.0 of 64 MiB)")


def test_a_key_revoked_in_session_is_one_error(brain, start, lines):
    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))
    brain.wait_for_agent()

    brain.close(CloseCode.REVOKED, "revoked by ada")

    (line,) = wait_until(lambda: [line for line in lines() if "Z4J-E111" in line])
    assert "revoked by ada" in line


def test_a1_a_brain_that_hangs_costs_the_app_nothing_and_events_arrive_later(brain, start, lines):
    brain.knobs.hang = True
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))

    assert not handle.flush(0.2)
    brain.knobs.hang = False
    brain.drop()

    brain.wait_for(lambda: brain.store.kinds("t1") == [4], 15)
    assert lines() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda dsn: flipped(dsn, "z4k_"), "Z4J-E102"),
        (lambda dsn: flipped(dsn, "z4s_"), "Z4J-E103"),
        (lambda dsn: dsn.replace("127.0.0.1", "brain.example.com"), "Z4J-E104"),
        (lambda dsn: "brain.example.com", "Z4J-E101"),
    ],
)
def test_a_mistyped_dsn_is_told_at_once_and_without_the_network(brain, change, code, lines):
    handle = boot.start({"dsn": change(brain.dsn)})

    handle.close()

    (line,) = lines()
    assert code in line
    assert not handle.is_active
    assert not brain.links


def test_strict_raises_what_is_wrong():
    with pytest.raises(ConfigError, match=r"E010.*did you mean dsn"):
        boot.start({"dns": "x", "strict": True})


def test_all_faults_are_told_in_one_line(lines):
    boot.start({"dns": "x", "args": "all", "spool_max_bytes": 3}).close()

    (line,) = lines()
    assert line.count("Z4J-E") == 3


def test_without_a_dsn_nothing_is_started(lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("Z4J_DSN", raising=False)

    handle = boot.start()
    handle.close()

    assert not handle.is_active
    assert lines() == []
    assert len(lines(logging.INFO)) == 1


def test_a_second_start_with_another_dsn_keeps_the_first(brain, lines, tmp_path):
    settings = {"spool_dir": str(tmp_path), "engines": ["none"]}
    first = boot.start({"dsn": brain.dsn, **settings})
    brain.project = "other"

    second = boot.start({"dsn": brain.dsn, **settings})
    first.close()

    assert second is first
    assert "Z4J-E012" in lines()[0]


def test_c6_a_policy_that_cannot_be_read_is_observe(brain, start, lines):
    _, engine = start(allow="everything")
    engine.emit(TaskEvent(STARTED, "t1"))
    link = brain.wait_for_agent()

    assert link.register.policy.text == "observe"
    assert "Z4J-E013" in lines()[0]


def test_a2_where_nothing_can_be_written_events_are_held_in_memory(brain, start, tmp_path, lines):
    blocked = tmp_path / "file"
    blocked.write_text("")

    handle, engine = start(spool_dir=str(blocked))
    engine.emit(TaskEvent(STARTED, "t1"))

    assert handle.flush(5)
    assert brain.store.kinds("t1") == [4]


def test_a_commanded_act_is_refused_where_its_intent_cannot_be_noted(brain, start):
    handle, engine = start(allow="all")
    engine.emit(TaskEvent(STARTED, "t1"))
    brain.wait_for_agent()
    Path(handle.process.spool.journal_path).mkdir()

    result = brain.result(brain.command("cancel", "toy", "toyapp", ["t1"]))

    assert (result.state, result.code) == (4, "journal_unavailable")
    assert engine.cancelled == []


def test_a5_objects_that_cannot_be_printed_and_huge_arguments_do_not_hurt(brain, start):
    handle, engine = start()
    weird = [
        Unprintable(),
        "x" * 10_000_000,
        "\ud800",
        10**400,
        {Unprintable(): b"\xff"},
        float("nan"),
    ]

    engine.emit(TaskEvent(STARTED, "t1", 1, "n" * 999, "\ud800", args=weird, kwargs={"a": weird}))
    engine.emit(TaskEvent(FAILED, "t2", error=KeyError(Unprintable())))
    engine.emit(TaskEvent(FAILED, "t3", native=lambda: 1 / 0, attempt=-5, priority=1 << 70))
    engine.emit(TaskEvent(FAILED, "t4", native=lambda: Native("x", b"x" * 100_000)))

    assert handle.flush(5)
    assert {task.task_id for task in brain.store.tasks} == {"t1", "t2", "t3", "t4"}
    assert not brain.store.faults
    (first,) = [task for task in brain.store.tasks if task.task_id == "t1"]
    assert len(first.name) == 256


def test_a_hook_that_fails_is_counted_and_yields_none(start):
    handle, engine = start()

    guarded = engine.emit.hook(lambda: 1 / 0, raises=(KeyError,))

    assert guarded() is None
    assert handle.status()["hook_errors"] == 1
    with pytest.raises(KeyError):
        engine.emit.hook(lambda: {}["x"], raises=(KeyError,))()


def test_a6_a_message_that_is_no_bytes_costs_itself_and_no_session(brain, start, lines):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))
    brain.wait_for_agent()

    engine.emit(TaskEvent(FAILED, "t2", native=lambda: Native("shop.charge", "text")))

    assert handle.flush(5)
    assert brain.store.kinds("t2") == [7]
    assert handle.status()["hook_errors"] == 1
    assert lines() == []


def test_an_engine_without_identity_loses_its_facts_and_nothing_else(start):
    handle, engine = start()
    del engine.app

    engine.emit(TaskEvent(STARTED, "t1"))

    assert handle.status()["hook_errors"] >= 1


def test_an_engine_that_cannot_be_asked_stops_neither_the_agent_nor_the_others(brain, start):
    handle, engine = start(allow="all")
    broken = type(engine)("other")
    del broken.app
    handle.attach(broken)
    engine.emit(TaskEvent(STARTED, "t1"))

    result = brain.result(brain.command("cancel", "toy", "toyapp", ["t1"]))

    assert result.state == 2
    assert [app.app for app in brain.store.registers[0].apps] == ["toyapp"]
    assert brain.store.faults == []


def flipped(dsn, prefix):
    """The DSN with the third character after `prefix` changed."""
    at = dsn.index(prefix) + len(prefix) + 2
    return dsn[:at] + ("b" if dsn[at] == "a" else "a") + dsn[at + 1 :]


def wait_until(seen, tries=100):
    """What `seen` returns once it is not empty."""
    import threading

    for _ in range(tries):
        if found := seen():
            return found
        threading.Event().wait(0.05)
    raise TimeoutError
