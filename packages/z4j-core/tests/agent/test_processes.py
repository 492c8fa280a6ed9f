"""Forks, exits and deaths of the host process: nothing written is lost, no child connects."""

from __future__ import annotations

import os
import signal
import threading

from agent_script import script
from z4j_core import EventKind, TaskEvent, Worker
from z4j_core.wire.items import WorkerState

STARTED, SUCCEEDED = EventKind.STARTED, EventKind.SUCCEEDED


def in_child(body):
    """Run `body` in a forked child and wait for it; its exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
        except BaseException:  # noqa: BLE001 - a test's child must never return
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def test_a3_a_forked_child_writes_to_its_parents_stream_and_never_connects(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "parent"))
    brain.wait_for_agent()

    code = in_child(lambda: engine.emit(TaskEvent(STARTED, "child")))

    assert code == 0
    assert handle.flush(5)
    assert {task.task_id for task in brain.store.tasks} == {"parent", "child"}
    assert len(brain.store.registers) == 1


def test_a3_a_spawned_child_writes_to_the_stream_it_is_given(brain, start, tmp_path):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "parent"))
    path = handle.stream_path

    process = script(brain, tmp_path, f"handle.write_to({path!r}); emit('STARTED', 'child')")
    process.communicate(timeout=20)

    brain.wait_for(lambda: brain.store.kinds("child") == [4])
    assert len(brain.store.registers) == 1


def test_a_child_that_consumes_owns_a_stream_and_a_connection(brain, start):
    _, engine = start()
    engine.emit(TaskEvent(STARTED, "parent"))
    brain.wait_for_agent()

    code = in_child(lambda: (
        engine.emit.worker_up(Worker("w2")),
        engine.emit(TaskEvent(STARTED, "child")),
        engine.emit.worker_down("w2", flush_s=5),
    ))  # fmt: skip

    assert code == 0
    assert len({register.stream for register in brain.store.registers}) == 2
    assert brain.store.kinds("child") == [4]


def test_a_child_that_consumes_does_not_wait_for_locks_of_its_parents_threads(brain, start):
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "parent"))
    brain.wait_for_agent()
    process = handle.process

    with process.changed._cond, process.groups._turn, process.replays._lock:
        code = in_child(lambda: (
            engine.emit.worker_up(Worker("w2")),
            process.stopping.set(),
        ))  # fmt: skip

    assert code == 0


def test_a3_a_process_forked_before_its_first_event_connects_by_itself(brain, start):
    handle, engine = start()

    def work():
        engine.emit(TaskEvent(STARTED, "child"))
        assert handle.flush(5)

    assert in_child(work) == 0
    assert brain.store.kinds("child") == [4]


def test_a3_forks_while_threads_emit_lose_nothing(brain, start):
    _, engine = start()
    stop = threading.Event()
    counts = [0, 0]

    def busy(index):
        while not stop.is_set() and counts[index] < 20_000:  # what the brain of a test can take
            engine.emit(TaskEvent(STARTED, f"t{index}-{counts[index]}"))
            counts[index] += 1

    threads = [threading.Thread(target=busy, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    codes = [in_child(lambda n=n: engine.emit(TaskEvent(STARTED, f"c{n}"))) for n in range(20)]
    stop.set()
    for thread in threads:
        thread.join()

    assert codes == [0] * 20
    brain.wait_for(lambda: len(brain.store.tasks) == sum(counts) + 20, 20)
    assert len(brain.store.registers) == 1


def test_a_short_script_is_heard_although_it_ends_at_once(brain, tmp_path):
    process = script(brain, tmp_path, "emit('STARTED', 't1')")

    process.communicate(timeout=20)

    assert process.returncode == 0
    assert brain.store.kinds("t1") == [4]


def test_a_fact_is_told_though_its_process_is_killed_right_after_the_hook(brain, start, tmp_path):
    process = script(
        brain, tmp_path,
        """
        engine.emit.worker_up(Worker("w1"))
        emit("STARTED", "long ago")
        print(flush=True)
        sys.stdin.readline()
        emit("STARTED", "ended")
        emit("SUCCEEDED", "ended")
        emit("STARTED", "killed")
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )  # fmt: skip
    process.stdout.readline()
    brain.wait_for(lambda: brain.store.kinds("long ago") == [4], 10)
    process.communicate("go\n", timeout=20)

    _, engine = start()
    engine.emit(TaskEvent(STARTED, "later"))

    brain.wait_for(lambda: brain.store.kinds("killed") == [4], 15)
    brain.wait_for(lambda: brain.store.kinds("ended") == [4, 6], 5)


def test_a8_a9_events_of_a_killed_process_are_adopted_and_its_worker_is_called_dead(
    brain, start, tmp_path
):
    brain.knobs.hold_acks = True
    process = script(
        brain, tmp_path,
        """
        engine.emit.worker_up(Worker("w1"))
        emit("STARTED", "t1")
        print("up", flush=True)
        sys.stdin.read()
        """,
    )  # fmt: skip
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    brain.knobs.hold_acks = False

    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t2"))

    brain.wait_for(lambda: brain.store.kinds("t1") == [4], 15)
    brain.wait_for(lambda: deaths(brain) == ["w1"], 15)


def test_a8_a_terminated_worker_that_says_goodbye_is_not_called_dead(brain, start, tmp_path):
    process = script(
        brain, tmp_path,
        """
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        engine.emit.worker_up(Worker("w1"))
        emit("STARTED", "t1")
        print("up", flush=True)
        while True:
            signal.pause()
        """,
    )  # fmt: skip
    process.stdout.readline()

    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)

    assert process.returncode == 0
    assert brain.store.kinds("t1") == [4]
    assert brain.store.closes


def deaths(brain):
    """Workers that were called dead."""
    found = [item for item in brain.store.items if isinstance(item, WorkerState)]
    return [item.worker for item in found if item.what == 4]
