"""Commands are checked in order, done once, and answered honestly."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from z4j_core import EventKind, Native, TaskEvent
from z4j_core.agent.journal import Journal
from z4j_core.clock import SystemClock
from z4j_core.model.commands import ResultState
from z4j_core.replay.file import FileReplay

DONE, REFUSED, EXPIRED = ResultState.DONE, ResultState.REFUSED, ResultState.EXPIRED


@pytest.fixture
def ready(start, brain):
    """An agent that is connected, with the policy `allow`."""

    def begin(allow="all"):
        handle, engine = start(allow=allow)
        engine.emit(TaskEvent(EventKind.STARTED, "t1", 1, "shop.charge"))
        brain.wait_for_agent()
        return handle, engine

    return begin


def test_a_command_is_done_and_answered_with_evidence(ready, brain):
    _, engine = ready()

    result = brain.result(brain.command("purge", "toy", "toyapp", ["mail"]))

    assert result.state == DONE
    assert result.evidence == {"0": {"purged": 3}}
    assert engine.purged == ["mail"]


def test_c4_a_repeated_command_gets_its_result_again_and_is_not_repeated(ready, brain):
    _, engine = ready()
    cmd_id = brain.command("cancel", "toy", "toyapp", ["t1"])
    brain.result(cmd_id)

    brain.command("cancel", "toy", "toyapp", ["t1"], cmd_id=cmd_id)

    brain.wait_for(lambda: len(brain.store.results(cmd_id)) == 2)
    assert engine.cancelled == ["t1"]


def test_c3_a_command_past_its_deadline_is_not_done(ready, brain):
    _, engine = ready()

    result = brain.result(brain.command("cancel", "toy", "toyapp", ["t1"], deadline_ms=0))

    assert result.state == EXPIRED
    assert engine.cancelled == []


@pytest.mark.parametrize(
    ("allow", "verb", "targets", "params", "code"),
    [
        ("observe", "cancel", ["t1"], {}, "policy.level"),
        ("control", "enqueue", ["shop.charge"], {}, "policy.level"),
        ("run", "purge", ["mail"], {}, "policy.level"),
        ("run,shop.*=observe", "cancel", ["t1"], {}, "policy.level"),
        ("run,shop.*=observe", "cancel", ["of-no-known-task"], {}, "policy.level"),
        ("run", "enqueue", ["shop.unknown"], {}, "policy.unknown_task"),
        ("run", "enqueue", ["shop.charge"], {"args": '["[redacted]"]'}, "policy.masked_value"),
        ("run", "enqueue", ["shop.charge"], {"args": "[" * 20 + "]" * 20}, "policy.args_size"),
        ("run", "enqueue", ["shop.charge"], {"args": "{}"}, "command.params"),
        ("run", "enqueue", ["shop.charge"], {"pickle": "x"}, "command.params"),
        ("all", "fly", ["t1"], {}, "command.unknown"),
        ("all", "peek", ["mail"], {}, "command.unknown"),
    ],
)
def test_c6_c7_c8_what_is_not_permitted_is_refused_with_its_code(
    ready, brain, allow, verb, targets, params, code
):
    _, engine = ready(allow)

    result = brain.result(brain.command(verb, "toy", "toyapp", targets, params))

    assert (result.state, result.code) == (REFUSED, code)
    assert engine.sent == engine.cancelled == engine.purged == []


def test_an_enqueue_carries_json_arguments_and_names_its_origin(ready, brain):
    handle, engine = ready("run")

    cmd_id = brain.command("enqueue", "toy", "toyapp", ["shop.charge"], {"args": "[1, 2.5]"})

    result = brain.result(cmd_id)
    assert result.state == DONE
    assert result.targets[0].new_id == "new-1"
    assert engine.sent[0].args == (1, 2.5)
    assert handle.flush(5)
    (enqueued,) = [task for task in brain.store.tasks if task.task_id == "new-1"]
    assert (enqueued.via, enqueued.cmd_id) == (2, cmd_id)


def test_an_engine_that_is_away_is_told_as_such(ready, brain):
    _, engine = ready("run")
    engine.is_down = True

    result = brain.result(brain.command("enqueue", "toy", "toyapp", ["shop.charge"]))

    assert (result.state, result.code) == (ResultState.FAILED, "engine.unavailable")


def test_a_dry_run_of_a_purge_tells_the_depth_and_does_nothing(ready, brain):
    _, engine = ready()

    result = brain.result(brain.command("purge", "toy", "toyapp", ["mail"], flags=1))

    assert result.state == DONE
    assert result.evidence["0"]["ready"] == 3
    assert engine.purged == []


def test_c9_a_purge_of_a_queue_that_grew_since_the_preview_is_refused(ready, brain):
    _, engine = ready()
    engine.depths["mail"] = 40

    result = brain.result(brain.command("purge", "toy", "toyapp", ["mail"], {"depth": 3}))

    assert (result.state, result.code) == (REFUSED, "policy.confirm_stale")
    assert engine.purged == []


def test_an_abort_stops_before_the_next_target(ready, brain):
    _, engine = ready()
    cmd_id, is_aborted = b"a" * 16, threading.Event()
    engine.on_cancel = lambda task_id: brain.abort(cmd_id) or is_aborted.wait(1)

    brain.command("cancel", "toy", "toyapp", ["t1", "t2", "t3"], cmd_id=cmd_id)

    result = brain.result(cmd_id)
    assert result.state == ResultState.PARTIAL
    assert [target.code for target in result.targets] == [0, 9, 9]
    assert engine.cancelled == ["t1"]


def test_c5_a_command_cut_off_by_the_death_of_its_process_is_indeterminate(ready, brain, start):
    handle, _ = ready()
    dead = Path(handle.process.spool.journal_path).with_name("dead-journal")
    journal = Journal(dead)
    journal.intent(b"c" * 16, 3, 1)
    journal.start(b"c" * 16, 0)
    journal.code(b"c" * 16, 0, 0, "n1")
    journal.start(b"c" * 16, 1)
    journal.close()

    from z4j_core.agent.journal import read_journal
    from z4j_core.agent.results import interrupted

    result = interrupted(read_journal(dead)[b"c" * 16])

    assert result.state == ResultState.INDETERMINATE
    assert [int(target.code) for target in result.targets] == [0, 7, 8]


def failed(engine, task_id="f1", body=b"original"):
    """Let a task fail whose message is kept."""
    native = lambda: Native("shop.charge", body)  # noqa: E731
    engine.emit(TaskEvent(EventKind.FAILED, task_id, 1, "shop.charge", native=native))


def test_c13_a_retry_sends_the_original_message_by_reference(ready, brain):
    handle, engine = ready("control")
    failed(engine)

    result = brain.result(brain.command("retry", "toy", "toyapp", ["f1"]))

    assert result.state == DONE
    assert result.targets[0].new_id == "retry-of-f1"
    assert engine.retried == [(Native("shop.charge", b"original"), "f1")]
    assert handle.flush(5)
    (task,) = [task for task in brain.store.tasks if task.task_id == "f1"]
    assert task.replayable_until > task.at
    assert task.extra["digest"] == hashlib.sha256(b"original").hexdigest()


def test_a_retry_of_what_was_never_kept_says_so(ready, brain):
    _, engine = ready()

    result = brain.result(brain.command("retry", "toy", "toyapp", ["nobody"]))

    assert (result.state, result.code) == (ResultState.FAILED, "replay.missing")
    assert result.targets[0].code == 6
    assert engine.retried == []


def test_c19_a_message_that_was_swapped_in_the_store_is_not_sent(ready, brain):
    _, engine = ready()
    failed(engine, body=b"swapped")
    digest = hashlib.sha256(b"original").digest()

    command = brain.command("retry", "toy", "toyapp", ["f1"], {"digests": [digest]})

    assert brain.result(command).code == "replay.missing"
    assert engine.retried == []


def test_the_policy_of_a_task_holds_for_its_retry(ready, brain):
    _, engine = ready("run,shop.*=observe")
    failed(engine)

    result = brain.result(brain.command("retry", "toy", "toyapp", ["f1"]))

    assert (result.state, result.rule) == (REFUSED, "shop.*=observe")
    assert engine.retried == []


def test_a_bulk_tells_each_target_apart(ready, brain):
    _, engine = ready()
    failed(engine)

    result = brain.result(brain.command("retry", "toy", "toyapp", ["f1", "nobody"]))

    assert result.state == ResultState.PARTIAL
    assert [target.code for target in result.targets] == [0, 6]


def test_with_replay_off_nothing_is_kept(start, brain):
    handle, engine = start(replay="off")
    failed(engine)

    assert handle.flush(5)
    assert brain.store.tasks[0].replayable_until is None


@pytest.mark.parametrize("is_brain_there", [True, False])
def test_the_message_of_what_failed_just_before_the_end_is_kept(ready, brain, is_brain_there):
    handle, engine = ready()
    if not is_brain_there:
        brain.stop()
    failed(engine)

    handle.close(2)

    file = Path(handle.process.replays.home) / "replay.sqlite3"
    record = FileReplay(str(file), 2**20, SystemClock()).get("toy", "toyapp", "f1")
    assert record is not None
    assert record.body == b"original"
