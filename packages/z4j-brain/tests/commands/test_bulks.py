"""Bulks as promises: previewed exactly, undone safely, sent in bounded pieces."""

from __future__ import annotations

import asyncio
import threading

import pytest
from z4j_brain.commands import control, service
from z4j_brain.commands.seal import is_sealed
from z4j_brain.db.rootkeys import RootKeys
from z4j_brain.errors import Conflict, Forbidden, Invalid
from z4j_core.model.tasks import TaskState

from .conftest import PROJECT, WHO

SECOND = 1_000_000


def turn(shop):
    return asyncio.run(shop.release.turn())


def test_the_preview_counts_what_will_be_done_and_what_is_left_out_and_why(shop):
    shop.agent()
    refs = shop.tasks(4, TaskState.FAILED) + shop.tasks(3, TaskState.RUNNING)
    refs += shop.tasks(2, TaskState.FAILED, replayable=None)

    shown = shop.preview("retry", refs)

    counts = {(state, code): n for _engine, state, code, n in shown.counts}
    assert shown.total == 9
    assert counts == {
        ("held", None): 4,
        ("skipped", "task.state_changed"): 3,
        ("skipped", "replay.missing"): 2,
    }


def test_c10_without_an_agent_nothing_will_be_done_and_the_preview_says_so(shop):
    refs = shop.tasks(2, TaskState.FAILED)

    shown = shop.preview("retry", refs)

    assert [(state, code) for _engine, state, code, _n in shown.counts] == [
        ("skipped", "agent.none")
    ]


@pytest.mark.parametrize(
    ("policy", "code"),
    [("observe", "policy.level"), ("control", None), ("nonsense", "policy.level")],
)
def test_the_preview_knows_the_local_policy(shop, policy, code):
    shop.agent(policy=policy)
    refs = shop.tasks(1, TaskState.QUEUED)

    shown = shop.preview("cancel", refs)

    assert [found for _engine, _state, found, _n in shown.counts] == [code]


def test_nothing_is_sent_before_the_hold_is_over(shop):
    shop.agent()
    shown = shop.preview("retry", shop.tasks(2, TaskState.FAILED))
    shop.confirm(shown, hold_us=8 * SECOND)

    shop.now += 7 * SECOND
    turn(shop)
    early = shop.sent()
    shop.now += 2 * SECOND
    turn(shop)

    assert early == []
    assert [len(command.targets) for command in shop.sent()] == [2]


def test_after_an_undo_nothing_is_ever_sent(shop):
    shop.agent()
    shown = shop.preview("retry", shop.tasks(2, TaskState.FAILED))
    shop.confirm(shown, hold_us=8 * SECOND)

    with shop.db.writing() as conn:
        bulk = control.undo(conn, PROJECT, shown.id, shop.now)
    shop.now += 60 * SECOND
    turn(shop)

    assert bulk.state == "undone"
    assert bulk.counts == {"undone": 2}
    assert shop.sent() == []


def test_an_undo_that_comes_too_late_is_refused(shop):
    shop.agent()
    shown = shop.preview("retry", shop.tasks(1, TaskState.FAILED))
    shop.confirm(shown)
    turn(shop)

    with shop.db.writing() as conn, pytest.raises(Conflict) as refusal:
        control.undo(conn, PROJECT, shown.id, shop.now)

    assert refusal.value.code == "bulk.sent"


def test_of_an_undo_and_a_dispatch_at_the_same_instant_exactly_one_wins(shop):
    shop.agent()
    for _ in range(20):
        shown = shop.preview("retry", shop.tasks(1, TaskState.FAILED))
        shop.confirm(shown)
        before = len(shop.sent())
        undone = []

        def undo(shown=shown, undone=undone):
            with shop.db.writing() as conn:
                try:
                    control.undo(conn, PROJECT, shown.id, shop.now)
                except Conflict:
                    return
                undone.append(True)

        thread = threading.Thread(target=undo)
        thread.start()
        turn(shop)
        thread.join()
        shop.now += 2 * SECOND
        turn(shop)

        assert (len(shop.sent()) - before) + len(undone) == 1


def test_a_task_that_changed_after_the_preview_is_not_touched(shop):
    shop.agent()
    refs = shop.tasks(3, TaskState.QUEUED)
    shown = shop.preview("cancel", refs)
    shop.confirm(shown, hold_us=SECOND)

    shop.set_state(refs[:1], TaskState.SUCCEEDED)
    shop.now += 2 * SECOND
    turn(shop)

    assert [len(command.targets) for command in shop.sent()] == [2]
    codes = {item.ref: item.code for item in shop.items(shown.id)}
    assert codes[refs[0]] == "task.state_changed"


def test_c16_a_large_bulk_goes_in_chunks_of_200_at_200_a_second(shop):
    shop.agent()
    shown = shop.preview("retry", shop.tasks(500, TaskState.FAILED))
    shop.confirm(shown)

    sizes = []
    for _ in range(3):
        turn(shop)
        sizes.append(sum(len(command.targets) for command in shop.sent()))
        shop.now += SECOND

    assert sizes == [200, 400, 500]
    assert max(len(command.targets) for command in shop.sent()) <= 200


def test_c16_ten_thousand_go_at_200_a_second_with_exact_progress_until_they_are_aborted(shop):
    shop.agent()
    shown = shop.preview("retry", shop.tasks(10_000, TaskState.FAILED))
    shop.confirm(shown)

    sent = []
    for second in range(30):
        turn(shop)
        sent.append(sum(len(command.targets) for command in shop.sent()))
        counts = shop.bulk(shown.id).counts
        assert sum(counts.values()) == 10_000
        assert counts.get("done", 0) == (sent[-2] if second else 0)
        shop.answer_all()
        shop.now += SECOND
    with shop.db.writing() as conn:
        control.abort(conn, PROJECT, shown.id, shop.now)
    turn(shop)

    assert sent == [200 * (second + 1) for second in range(30)]
    assert sum(len(command.targets) for command in shop.sent()) == 6_000
    assert shop.bulk(shown.id).counts == {"done": 6_000, "undone": 4_000}


def test_at_most_four_chunks_of_a_bulk_are_in_flight(shop):
    shop.agent()
    shown = shop.preview("retry", shop.tasks(1_100, TaskState.FAILED))
    shop.confirm(shown)

    for _ in range(8):
        turn(shop)
        shop.now += SECOND
    stuck = len(shop.sent())
    shop.answer_all()
    turn(shop)

    assert stuck == 4
    assert len(shop.sent()) == 5


def test_c16_an_abort_sends_no_more_and_names_what_agents_must_stop(shop):
    shop.agent()
    shown = shop.preview("retry", shop.tasks(300, TaskState.FAILED))
    shop.confirm(shown)
    turn(shop)
    with shop.db.writing() as conn:
        control.abort(conn, PROJECT, shown.id, shop.now)

    shop.now += 5 * SECOND
    turn(shop)

    assert len(shop.sent()) == 1
    assert shop.bulk(shown.id).state == "aborted"
    assert shop.bulk(shown.id).counts == {"undone": 300}


def test_c15_what_its_author_may_no_longer_do_is_not_sent(shop):
    shop.agent()
    shown = shop.preview("retry", shop.tasks(300, TaskState.FAILED))
    shop.confirm(shown)
    turn(shop)

    shop.demoted.add(WHO.id)
    shop.now += 5 * SECOND
    turn(shop)

    assert [command.state for command in shop.sent()] == ["aborted"]
    assert shop.bulk(shown.id).state == "aborted"
    assert shop.bulk(shown.id).counts == {"refused": 100, "undone": 200}


def test_every_command_carries_the_seal_of_the_root_secret(shop):
    shop.agent()
    shop.confirm(shop.preview("retry", shop.tasks(1, TaskState.FAILED)))
    turn(shop)

    row = vars(shop.sent()[0])

    assert is_sealed(RootKeys(b"r" * 32), row)
    assert not is_sealed(RootKeys(b"r" * 32), row | {"targets": ["another"]})


def test_terminate_needs_a_reason_and_the_typed_count(shop):
    shop.agent()
    shown = shop.preview("terminate", shop.tasks(2, TaskState.RUNNING))

    for said in ({}, {"reason": "stuck"}, {"reason": "stuck", "typed": "3"}):
        with pytest.raises(Invalid):
            shop.confirm(shown, **said)
    bulk = shop.confirm(shown, reason="stuck", typed="2")

    assert shown.typed == "2"
    assert bulk.state == "held"


def test_a_preview_is_confirmed_once_by_the_one_who_saw_it_and_not_too_late(shop):
    shop.agent()
    refs = shop.tasks(1, TaskState.FAILED)
    mine, used, old = (shop.preview("retry", refs) for _ in range(3))
    shop.confirm(used)

    with pytest.raises(Forbidden):
        shop.confirm(mine, who=service.Who(id="u2", name="Eve", via="ui"))
    with pytest.raises(Conflict):
        shop.confirm(used)
    shop.now += service.PREVIEW_TTL_US + 1
    with pytest.raises(Conflict):
        shop.confirm(old)


def test_a_preview_nobody_confirmed_is_forgotten(shop):
    shop.agent()
    shown = shop.preview("retry", shop.tasks(1, TaskState.FAILED))

    shop.now += service.PREVIEW_TTL_US + 1
    turn(shop)

    assert shop.items(shown.id) == []


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ('["[redacted]"]', "policy.masked_value"),
        ("{}", "request.invalid"),
        ("[1", "request.invalid"),
        ("[" * 18 + "]" * 18, "policy.args_size"),
        ('["' + "x" * 70_000 + '"]', "policy.args_size"),
    ],
)
def test_typed_arguments_that_cannot_be_meant_are_refused_before_anything_is_stored(
    shop, args, code
):
    shop.agent()
    target = {"engine": "celery", "app": "shop", "name": "shop.charge"}

    with pytest.raises(Invalid) as refusal:
        shop.preview("enqueue", targets=[target], params={"args": args})

    assert refusal.value.code == code


def test_c9_purging_a_queue_needs_its_name(shop):
    shop.agent()
    target = {"engine": "celery", "app": "shop", "name": "mail"}
    shown = shop.preview("purge", targets=[target])

    with pytest.raises(Invalid):
        shop.confirm(shown, reason="poison messages", typed="orders")
    shop.confirm(shown, reason="poison messages", typed="mail")
    turn(shop)

    assert [(command.verb, command.targets) for command in shop.sent()] == [("purge", ["mail"])]
