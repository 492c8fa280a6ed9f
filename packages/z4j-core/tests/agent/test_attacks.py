"""Named attacks on a running agent: deaths in the middle of a command, policy, bursts, retries."""

from __future__ import annotations

import pytest
from agent_script import script
from z4j_core import EventKind, TaskEvent
from z4j_core.agent.commands import ROWS
from z4j_core.agent.items import Source, blank_of
from z4j_core.agent.policy import parse_policy
from z4j_core.agent.reconnect import CAUSES, Backoff
from z4j_core.agent.runs import MAX_OPEN, LiveRuns
from z4j_core.clock import SystemClock
from z4j_core.model.commands import ResultState

STARTED = EventKind.STARTED
CMD = b"c" * 16
DEATHS = {
    "before_intent": ("intent", "die(); real(self, *args)", ResultState.DONE),
    "after_intent": ("start", "die(); real(self, *args)", ResultState.FAILED),
    "after_execute": ("code", "die(); real(self, *args)", ResultState.INDETERMINATE),
    "after_result": ("result", "real(self, *args); die()", ResultState.DONE),
}


@pytest.mark.parametrize("moment", DEATHS)
def test_c5_a_death_in_a_command_doubles_nothing_and_is_told_honestly(
    brain, start, tmp_path, moment
):
    method, order, state = DEATHS[moment]
    done = tmp_path / "done"
    process = script(
        brain, tmp_path,
        f"""
        from z4j_core.agent.journal import Journal
        die = lambda: os.kill(os.getpid(), signal.SIGKILL)
        real = Journal.{method}
        def dying(self, *args): {order}
        Journal.{method} = dying
        engine.on_cancel = lambda _id: open({str(done)!r}, "a").write("x")
        emit("STARTED", "t1")
        sys.stdin.read()
        """,
    )  # fmt: skip
    brain.wait_for_agent(timeout_s=20)
    brain.command("cancel", "toy", "toyapp", ["t1"], cmd_id=CMD)
    process.wait(20)
    process.communicate()

    _, engine = start(allow="run")
    engine.emit(TaskEvent(STARTED, "t2"))
    brain.wait_for(lambda: any(task.task_id == "t2" for task in brain.store.tasks), 20)
    if moment != "before_intent":
        brain.wait_for(lambda: brain.store.results(CMD), 20)
    brain.command("cancel", "toy", "toyapp", ["t1"], cmd_id=CMD)
    brain.wait_for(lambda: brain.store.results(CMD), 20)

    effects = len(engine.cancelled) + (len(done.read_text()) if done.exists() else 0)
    assert effects == (0 if moment == "after_intent" else 1)
    assert {result.state for result in brain.store.results(CMD)} == {state}


@pytest.mark.parametrize("allow", ["observe", "control", "run", "all", "control,t.*=all-cancel"])
def test_a17_what_the_agent_reports_as_its_policy_is_how_it_behaves(brain, start, allow):
    handle, engine = start(allow=allow)
    engine.emit(TaskEvent(STARTED, "t1", 1, "t.known"))
    link = brain.wait_for_agent()
    offered = {verb.verb for app in link.register.apps for verb in app.verbs}
    reported = parse_policy(link.register.policy.text)
    handle.flush(5)

    for verb in offered & set(ROWS):
        about_task = ROWS[verb].about == "task"
        target = {"enqueue": "t.known"}.get(verb, "t1" if about_task else "mail")
        verdict = reported.decide(verb, "t.known" if about_task else None)
        result = brain.result(brain.command(verb, "toy", "toyapp", [target]))

        assert (result.code != "policy.level") == verdict.allowed, verb


@pytest.mark.parametrize("cause", [0, *CAUSES])
def test_a14_whatever_refuses_an_agent_it_tries_again_by_the_table(cause):
    backoff = Backoff(lambda n: b"\xff" * n)
    most = max(CAUSES.get(cause, CAUSES[4500]).cap_s or 30.0, 0.1)

    delays = [backoff.delay(cause, since_start_s=3600.0 * n) for n in range(100)]

    assert all(0.1 <= delay <= most for delay in delays)


def test_a7_runs_that_never_end_make_no_event_pay_for_all_of_them():
    clock = SystemClock()
    runs, blank = LiveRuns(clock.monotonic), blank_of(Source("toy", "toyapp"))
    for n in range(2 * MAX_OPEN):
        runs.of(TaskEvent(STARTED, f"t{n}"), blank)

    began = clock.monotonic()
    for n in range(10_000):
        runs.of(TaskEvent(STARTED, f"u{n}"), blank)
    took_s = clock.monotonic() - began

    assert len(runs) <= MAX_OPEN
    assert runs.name_of("t0") is None
    assert took_s < 2


def test_a7_a_burst_of_fifty_thousand_events_stays_within_the_disk_it_was_given(brain, start):
    brain.knobs.hang = True
    handle, engine = start(spool_max_bytes=2 << 20)
    for n in range(50_000):
        engine.emit(TaskEvent(STARTED, f"t{n}", 1, "shop.charge", args=("x" * 100,)))
    spool = handle.process.spool
    spool.evict()

    kept = spool.usage()
    brain.knobs.hang = False
    brain.drop()

    assert kept.bytes <= 1.25 * (2 << 20) + (1 << 20)
    assert handle.process.lost > 0
