"""Fires by command. The rule: what was not declared by the app needs the right to run anything."""

from __future__ import annotations

import pytest
from z4j_core.model.commands import ResultState
from z4j_core.model.fires import Status, Why
from z4j_core.scheduler.fires import digest, manual_id, mark
from z4j_core.wire.items import Fire

SCHEDULE = "0190a6e0-7b1c-7000-8000-000000000001"
FIRE = manual_id(SCHEDULE, "n1")
DECLARED = ("shop.charge", [7, {"b": 1, "a": 2}], {"dry": False})
LONG_S = 20.0


def order(args=DECLARED[1], **changes):
    """Parameters of a fire of the declared invocation."""
    invocation = {"task": DECLARED[0], "args": args, "kwargs": DECLARED[2], "queue": "slow"}
    return {
        "schedule": SCHEDULE, "generation": 2, "slot": 60_000, "nonce": "n1", "fire_id": FIRE,
        "trigger": int(Why.MANUAL), "revision": 9, "invocation": invocation, **changes,
    }  # fmt: skip


@pytest.fixture
def ready(start, brain):
    """An agent under a policy, whose app has declared one schedule."""

    def begin(allow="control"):
        handle, engine = start(allow=allow)
        handle.process.registered.learn("code", [DECLARED])
        handle.process.begin()
        brain.wait_for_agent(timeout_s=LONG_S)
        return handle, engine

    return begin


def fire(brain, params):
    return brain.result(brain.command("fire", "toy", "toyapp", [FIRE], params), LONG_S)


def lines(brain):
    return [item for item in brain.store.items if isinstance(item, Fire)]


def test_a_declared_fire_is_placed_under_its_id_with_its_mark(ready, brain):
    _, engine = ready("control")

    result = fire(brain, order())

    assert result.state == ResultState.DONE
    assert result.targets[0].new_id == FIRE
    (job,) = engine.sent
    assert (job.id, job.fire, job.queue) == (FIRE, mark(FIRE, 1), "slow")
    assert (job.task, list(job.args), job.kwargs) == DECLARED


def test_a_fire_leaves_two_lines_in_the_ledger_and_its_task_names_it(ready, brain):
    ready("control")

    fire(brain, order())

    brain.wait_for(lambda: len(lines(brain)) == 2 and brain.store.tasks, LONG_S)
    claimed, sent = lines(brain)
    assert [claimed.status, sent.status] == [Status.CLAIMED, Status.SENT]
    assert claimed.schedule.hex() == SCHEDULE.replace("-", "")
    assert (sent.generation, sent.slot, sent.nonce, sent.revision) == (2, 60_000, "n1", 9)
    assert sent.trigger == Why.MANUAL
    (task,) = brain.store.tasks
    assert (task.via, task.schedule, task.slot) == (3, SCHEDULE, 60_000)
    assert task.fire_id == sent.fire_id


@pytest.mark.parametrize("of", ["code", "elsewhere"])
def test_what_the_settings_declare_may_fire_at_level_control_and_nothing_else(start, brain, of):
    task, args, kwargs = DECLARED
    poll = {"task": task, "args": args, "kwargs": kwargs, "interval": 30}
    handle, engine = start(allow="control", schedules={"poll": poll} if of == "code" else None)
    handle.process.begin()
    brain.wait_for_agent(timeout_s=LONG_S)

    result = fire(brain, order())

    fired = ResultState.DONE if of == "code" else ResultState.REFUSED
    assert (result.state, len(engine.sent)) == (fired, int(of == "code"))


def test_c14_arguments_edited_after_they_were_approved_are_not_fired(ready, brain):
    _, engine = ready("run")
    approved = digest(*DECLARED)

    result = fire(brain, order(args=[8], digest=approved))

    assert (result.state, result.code) == (ResultState.REFUSED, "policy.args_changed")
    assert fire(brain, order(digest=approved)).state == ResultState.DONE
    assert fire(brain, order(digest=approved.hex())).state == ResultState.DONE
    assert len(engine.sent) == 2


def test_c14_arguments_that_the_app_did_not_declare_need_the_level_run(ready, brain):
    _, engine = ready("control")

    result = fire(brain, order(args=[8]))

    assert (result.state, result.code) == (ResultState.REFUSED, "policy.args_not_registered")
    assert result.rule == "control"
    assert engine.sent == []


def test_at_level_run_any_arguments_are_fired_of_a_task_the_app_has(ready, brain):
    _, engine = ready("run")
    foreign = {"task": "os.system", "args": ["id"]}

    assert fire(brain, order(args="[8]")).state == ResultState.DONE
    assert fire(brain, order(invocation=foreign)).code == "policy.unknown_task"

    assert [job.args for job in engine.sent] == [(8,)]


@pytest.mark.parametrize("allow", ["observe", "control-fire", "run,shop.*=observe"])
def test_a_policy_without_fires_lets_none_pass(ready, brain, allow):
    _, engine = ready(allow)

    assert fire(brain, order()).code == "policy.level"

    assert engine.sent == []


@pytest.mark.parametrize(
    "changes",
    [
        {"fire_id": "7b1c7b1c-7b1c-4b1c-8b1c-7b1c7b1c7b1c"},
        {"fire_id": "x"},
        {"schedule": 7},
        {"invocation": {}},
        {"invocation": {"task": "shop.charge", "id": "mine"}},
        {"invocation": {"task": "shop.charge", "options": {"z4j_fire": "x"}}},
        {"trigger": 9},
        {"unknown": 1},
    ],
)
def test_an_order_that_is_none_is_refused(ready, brain, changes):
    _, engine = ready("all")

    assert fire(brain, order(**changes)).code == "command.params"

    assert engine.sent == []


def test_a_fire_that_could_not_be_placed_says_so_in_the_ledger(ready, brain):
    _, engine = ready("control")
    engine.is_down = True

    assert fire(brain, order()).state == ResultState.FAILED

    brain.wait_for(lambda: len(lines(brain)) == 2, LONG_S)
    assert lines(brain)[1].status == Status.FAILED
    assert lines(brain)[1].reason.startswith("engine.unavailable")


def test_a_masked_value_is_not_fired(ready, brain):
    ready("all")

    assert fire(brain, order(args=["[redacted]"])).code == "policy.masked_value"


def test_keys_in_any_order_have_one_digest():
    assert digest("t", [{"a": 1, "b": [2]}], {"x": 1, "y": 2}) == digest(
        "t", ({"b": [2], "a": 1},), {"y": 2, "x": 1}
    )
    assert digest("t", [1], {}) != digest("t", [1.0], {})
