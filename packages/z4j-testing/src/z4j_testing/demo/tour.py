"""What the demo proves, step by step. The rule: the shop's own book is the witness, not z4j."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .plans import OFTEN
from .processes import wait_until
from .rest import Rest, RestError, enter
from .shop.keys import BOOK, DESK, SUPPLIERS_DOWN
from .stack import PROJECT, Shop
from .stops import SECRET, STOPS, Call, Stop

STEP_S = 20.0
CANCEL_AFTER_S = 8
FIRE_S = 60.0
"""An agent leads once it has lived for half a minute, or at once where it has a worker."""
STEPS = ("success", "failure+traceback", "retry", "cancel", "stop", "scheduled fire")
Row = dict[str, Any]


class NotShown(Exception):
    """A step did not end as it must; the message says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Tour:
    """One walk through one department of a running shop."""

    shop: Shop
    rest: Rest
    at: Stop

    def order(self, call: Call, kwargs: Row | None = None, delay_s: float | None = None) -> str:
        """Ask at the shop's desk for one task and return its id."""
        task_id = str(uuid.uuid4())
        wish = {
            "engine": self.at.engine, "task": call[0], "args": call[1], "kwargs": kwargs or {},
            "task_id": task_id, "delay_s": delay_s,
        }  # fmt: skip
        self.shop.redis.rpush(DESK, json.dumps(wish))
        return task_id

    def booked(self, task_id: str) -> Any:
        """Arguments the shop's book has for a run that came to its end, else None."""
        entry: Any = self.shop.redis.hget(BOOK, task_id)
        return None if entry is None else json.loads(entry)

    def row(self, task_id: str) -> Row | None:
        """The brain's row of a task."""
        query = f"engine:{self.at.engine} id:{task_id}"
        items = self.rest.get("tasks", q=query, range="1h")["items"]
        return items[0] if items else None

    def state(self, task_id: str) -> str:
        """The state the brain shows, or "unseen"."""
        row = self.row(task_id)
        return "unseen" if row is None else str(row["state"])

    def until(self, what: str, holds: Callable[[], bool], within_s: float = STEP_S) -> None:
        """Wait for a step's condition."""
        wait_until(what, holds, within_s, self.shop.family, every_s=0.2)

    def until_state(self, task_id: str, *states: str) -> Row:
        """Wait for a task to be shown in one of `states` and return its row."""
        try:
            self.until(" or ".join(states), lambda: self.state(task_id) in states)
        except TimeoutError as error:
            raise NotShown(f"{error}; the brain shows {self.state(task_id)}") from error
        row = self.row(task_id)
        assert row is not None
        return row

    def act(self, action: str, task_id: str) -> Row:
        """Do one action on a task as an operator does; returns the one item."""
        row = self.until_state(task_id, "scheduled", "queued", "running", "failed")
        return self._confirmed({"action": action, "refs": [row["ref"]]})

    def do(self, action: str, queue: Row) -> Row:
        """Do one action on a queue."""
        target = {"engine": queue["engine"], "app": queue["app"], "queue": queue["name"]}
        return self._confirmed({"action": action, "targets": [target]})

    def _confirmed(self, wanted: Row) -> Row:
        """Preview, confirm and wait, as the dashboard does."""
        action = wanted["action"]
        preview = self.rest.post("bulk/preview", wanted)
        _expect(preview["total"] == 1, f"the preview of {action} counts {preview['total']}")
        confirmation = {"preview_id": preview["preview_id"], "hold_s": 0, "reason": "demo tour"}
        if preview["needs"]["typed"] is not None:
            confirmation["typed"] = preview["needs"]["typed"]
        bulk = self.rest.post("bulk", confirmation, Idempotency_Key=uuid.uuid4().hex)
        ends = ("done", "aborted", "undone")
        path = f"bulk/{bulk['id']}"
        self.until(f"{action} ends", lambda: self.rest.get(path)["state"] in ends)
        (item,) = self.rest.get(f"{path}/items")["items"]
        _expect(item["state"] == "done", f"{action} is {item['state']}: {item['code']}")
        return dict(item)


def _expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001  reads as a sentence
    if not holds:
        raise NotShown(otherwise)


def success(tour: Tour) -> None:
    """A task that succeeds is shown with its arguments and its result."""
    task_id = tour.order(tour.at.good)

    row = tour.until_state(task_id, "succeeded")
    detail = tour.rest.get(f"tasks/{row['ref']}")

    _expect(tour.at.shown in (detail["result"] or {}).get("text", ""), "the result is not shown")
    _expect("4711" in detail["args"]["text"], "the arguments are not shown")


def failure(tour: Tour) -> None:
    """A task that fails is shown with the line of code that is wrong."""
    task_id = tour.order(tour.at.bug)

    row = tour.until_state(task_id, "failed")
    error = tour.rest.get(f"tasks/{row['ref']}")["error"] or {}

    _expect(
        error.get("type", "").endswith("ZeroDivisionError"), f"the error is {error.get('type')}"
    )
    _expect("pricing.py" in error["traceback"]["text"], "the traceback does not reach pricing.py")


def retry(tour: Tour) -> None:
    """A retry from the brain runs with the original arguments, also those it never saw."""
    redis = tour.shop.redis
    supplier = f"atlas-{tour.at.engine}"
    redis.sadd(SUPPLIERS_DOWN, supplier)
    kwargs = {"supplier": supplier, "password": SECRET}
    task_id = tour.order(tour.at.picky, kwargs)
    row = tour.until_state(task_id, "failed")
    shown = json.dumps(tour.rest.get(f"tasks/{row['ref']}"))
    _expect(SECRET not in shown, "the brain holds a secret argument in clear")
    redis.srem(SUPPLIERS_DOWN, supplier)

    new_id = tour.act("retry", task_id)["new_id"]

    tour.until_state(new_id, "succeeded")
    booked = tour.booked(new_id)
    _expect(booked == [tour.at.picky[1], kwargs], f"it ran with {booked}")


def cancel(tour: Tour) -> None:
    """A waiting task that is cancelled never runs."""
    with _held_up(tour):
        delay_s = CANCEL_AFTER_S if tour.at.has_delays else None
        task_id = tour.order(tour.at.waits, delay_s=delay_s)
        tour.until_state(task_id, "scheduled", "queued")
        tour.act("cancel", task_id)

    tour.until_state(task_id, "cancelled")
    _expect(tour.booked(task_id) is None, "it ran all the same")


@contextlib.contextmanager
def _held_up(tour: Tour) -> Generator[None]:
    """Where an engine has no delays, its queue is paused meanwhile."""
    if tour.at.has_delays:
        yield
        return
    (queue,) = [row for row in tour.rest.get("queues")["items"] if row["engine"] == tour.at.engine]
    tour.do("pause", queue)
    try:
        yield
    finally:
        tour.do("resume", queue)


def stop(tour: Tour) -> None:
    """A running task that is stopped ends there, and its worker goes on."""
    task_id = tour.order(tour.at.lasting)
    tour.until_state(task_id, "running")

    tour.act(tour.at.stop, task_id)

    tour.until_state(task_id, "cancelled", "failed")
    _expect(tour.booked(task_id) is None, "it ran to its end")
    success(tour)


def scheduled(tour: Tour) -> None:
    """What is planned runs by the clock, linked to its schedule, and the history says so."""
    name, plan = OFTEN[tour.at.engine]
    query = f'engine:{tour.at.engine} schedule:"{name}" state:succeeded task:{plan["task"]}'
    tour.until(
        f"{name!r} runs",
        lambda: bool(tour.rest.get("tasks", q=query, range="1h")["items"]),
        within_s=FIRE_S,
    )

    (schedule,) = tour.rest.get("schedules", q=f'name:"{name}"')["items"]
    fires = tour.rest.get(f"schedules/{schedule['id']}/fires")["items"]
    sent = [fire for fire in fires if fire["status"] == "sent"]
    _expect(bool(sent), f"the history has {[fire['status'] for fire in fires]}")


WALKS: Mapping[str, Callable[[Tour], None]] = dict(
    zip(STEPS, (success, failure, retry, cancel, stop, scheduled), strict=True)
)


def walk(shop: Shop) -> dict[str, dict[str, str]]:
    """Take every step at every engine, all at once; "ok" or what went wrong, by both."""
    rest = enter(shop.brain.url, PROJECT, shop.brain.link)
    with ThreadPoolExecutor(len(shop.engines)) as walkers:
        visits = walkers.map(lambda engine: visit(Tour(shop, rest, STOPS[engine])), shop.engines)
        return dict(zip(shop.engines, visits, strict=True))


def visit(tour: Tour) -> dict[str, str]:
    """Take every step at one engine."""
    return {step: _outcome(WALKS[step], tour) for step in STEPS}


def _outcome(step: Callable[[Tour], None], tour: Tour) -> str:
    try:
        step(tour)
    except (NotShown, RestError, TimeoutError, KeyError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return "ok"
