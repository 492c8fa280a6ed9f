"""Workflows of Celery on Redis, in a real brain. The rule: its API shows the tree as it ran."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from redis import Redis
from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.rest import by_token
from z4j_testing.demo.stack import PROJECT, start_brain
from z4j_testing.services import redis_url
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
HERE = Path(__file__).parent
PATIENCE_S = 60
PART, TOTAL, ADD, ORDER = "canvas.part", "canvas.total", "canvas.add", "canvas.order"


class Canvas:
    """A brain, a worker of workflows, and who sends them."""

    def __init__(self, home):
        self.family = Family(home)
        brain = start_brain(self.family, home, free_port())
        self.rest = by_token(brain.url, PROJECT, brain.token)
        self.queue = f"canvas-{os.urandom(4).hex()}"
        self.env = {
            "Z4J_DSN": brain.dsn, "Z4J_SPOOL_DIR": str(home / "spool"), "PYTHONPATH": str(HERE),
            "CANVAS_REDIS": redis_url(14), "CANVAS_QUEUE": self.queue, "C_FORCE_ROOT": "1",
        }  # fmt: skip
        celery = [sys.executable, "-m", "celery", "-A", "canvas_app", "worker", "-P", "prefork"]
        quiet = ["--without-mingle", "--without-gossip", "-c", "2"]
        self.family.start("worker", [*celery, *quiet], self.env, signal.SIGQUIT)

    def end(self):
        self.family.end()
        with Redis.from_url(redis_url(14)) as redis:
            redis.delete(self.queue, f"_kombu.binding.{self.queue}")

    def ran(self, name, tasks):
        """Send a workflow; all its tasks in full, by the name of their task, once they have run."""
        code = f"import canvas_app as canvas; print(canvas.WORKFLOWS[{name!r}]().delay())"
        before = {each["ref"] for each in self.rest.get("tasks", limit=200)["items"]}
        self.family.start(f"sends-{name}", [sys.executable, "-c", code], self.env)

        def told():
            items = self.rest.get("tasks", q="state:succeeded", limit=200)["items"]
            new = [each for each in items if each["ref"] not in before]
            return new if Counter(each["task"] for each in new) == tasks else None

        found = eventually(told, f"the tasks of the {name}", PATIENCE_S)
        return [self.rest.get(f"tasks/{each['ref']}") for each in found]

    def flows(self, ran):
        """What the flow shows from each of these tasks: (refs, edges)."""
        for each in ran:
            flow = self.rest.get(f"tasks/{each['ref']}/flow")
            yield {node["ref"] for node in flow["nodes"]}, {tuple(edge) for edge in flow["edges"]}


@pytest.fixture(scope="module")
def canvas(tmp_path_factory):
    made = Canvas(tmp_path_factory.mktemp("canvas"))
    try:
        yield made
    finally:
        made.end()


def of(ran, task):
    return [each for each in ran if each["task"] == task]


def groups(ran):
    return {fact["value"] for each in ran for fact in each["facts"] if fact["label"] == "group"}


def test_each_task_of_a_chain_is_the_child_of_the_one_before(canvas):
    ran = canvas.ran("chain", {PART: 1, ADD: 2})

    (first,) = of(ran, PART)
    second, third = sorted(of(ran, ADD), key=lambda each: each["started_at"])
    wanted = {(first["ref"], second["ref"]), (second["ref"], third["ref"])}
    refs = {each["ref"] for each in ran}
    assert all(shown == (refs, wanted) for shown in canvas.flows(ran))
    assert {each["root"] for each in ran} == {first["id"]}
    assert (second["parent"]["ref"], third["parent"]["ref"]) == (first["ref"], second["ref"])


def test_the_tasks_of_a_group_are_shown_together(canvas):
    ran = canvas.ran("group", {PART: 3})

    assert len(groups(ran)) == 1
    assert all(shown == ({each["ref"] for each in ran}, set()) for shown in canvas.flows(ran))


def test_the_body_of_a_chord_comes_of_all_parts_of_its_header(canvas):
    ran = canvas.ran("chord", {PART: 3, TOTAL: 1})

    (body,) = of(ran, TOTAL)
    parts = {each["ref"] for each in of(ran, PART)}
    wanted = {(part, body["ref"]) for part in parts}
    assert all(shown == (parts | {body["ref"]}, wanted) for shown in canvas.flows(ran))
    assert len(groups(ran)) == 1
    assert body["parent"]["ref"] in parts
    assert body["result"]["text"] == "3"


def test_a_chord_that_a_task_sent_hangs_below_that_task(canvas):
    ran = canvas.ran("order", {ORDER: 1, PART: 3, TOTAL: 1})

    (order,), (body,) = of(ran, ORDER), of(ran, TOTAL)
    parts = {each["ref"] for each in of(ran, PART)}
    wanted = {(order["ref"], part) for part in parts} | {(part, body["ref"]) for part in parts}
    refs = {order["ref"], body["ref"]} | parts
    assert all(shown == (refs, wanted) for shown in canvas.flows(ran))
    assert {each["ref"] for each in order["children"]} == parts
    assert {each["root"] for each in ran} == {order["id"]}
