"""A cancel outlives the workers. The rule: who was told "done" is not proved wrong by a restart."""

from __future__ import annotations

import uuid

import pytest
from chaos_stage import PROJECT, SETTLE_S, START_S, Stage
from z4j_core.model.tasks import TaskState
from z4j_testing.demo.rest import enter
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path / "stage")
    try:
        made.brain.start()
        yield made
    finally:
        made.end()


def act(rest, **wish):
    """Preview, confirm and wait, as an operator does."""
    preview = rest.post("bulk/preview", wish)
    body = {"preview_id": preview["preview_id"], "hold_s": 0, "reason": "of the test"}
    bulk = rest.post("bulk", body, Idempotency_Key=uuid.uuid4().hex)
    path = f"bulk/{bulk['id']}"
    eventually(lambda: rest.get(path)["state"] == "done", f"{wish['action']} to end", SETTLE_S)
    (item,) = rest.get(f"{path}/items")["items"]
    assert item["state"] == "done", item


def test_a_task_cancelled_while_no_worker_ran_is_never_run(stage):
    producer = stage.producer()
    producer.begin(n=2)
    assert producer.books()
    known = eventually(lambda: len(found := stage.brain.tasks()) == 2 and found, "both", START_S)
    cancelled, other = known
    rest = enter(f"http://127.0.0.1:{stage.brain.port}", PROJECT, stage.brain.told["login_url"])
    (row,) = rest.get("tasks", q=f"id:{cancelled}", range="1h")["items"]

    act(rest, action="cancel", refs=[row["ref"]])
    stage.worker("late")

    eventually(lambda: other in stage.book("ran"), "the other task to run", SETTLE_S)
    is_over = lambda: stage.brain.tasks()[cancelled].state is TaskState.CANCELLED  # noqa: E731
    eventually(is_over, "the cancelled task to end", SETTLE_S)
    assert cancelled not in stage.book("ran")
