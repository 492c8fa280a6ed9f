"""A group that a scheduler of its own fires: brain, worker and schedulers are real processes."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import pytest
from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.rest import RestError, enter
from z4j_testing.demo.stack import PROJECT, open_shop, start_brain
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
MAIL = {"task": "shop.send_mail", "args": ["mei@mail.example", "Good morning"]}
PATIENCE_S = 60
TTL_S = 15


class Town:
    """A shop with a Celery worker whose schedules a scheduler fires, and what asks its brain."""

    def __init__(self, home, family):
        self.home, self.family = home, family
        self.port = free_port()
        shop = open_shop(family, home, self.port, 0.1, engines=["celery"])
        self.rest = enter(shop.brain.url, PROJECT, shop.brain.link)
        self.key = self.rest.post("keys", {"label": "central", "role": "scheduler"})
        self.numbers = iter(range(1, 100))
        self.redis = shop.redis
        self.token = shop.brain.token

    def scheduler(self, *options):
        """Start one more z4j-scheduler."""
        name = f"scheduler-{next(self.numbers)}"
        command = [sys.executable, "-m", "z4j_scheduler", "serve", *options]
        return self.family.start(name, command, {"Z4J_DSN": self.key["dsn"]})

    def group(self):
        (found,) = self.rest.get("schedules/groups")["items"]
        return found

    @property
    def place(self):
        group = eventually(self._known, "the worker", PATIENCE_S)
        return {"engine": group["engine"], "app": group["app"]}

    def _known(self):
        return next(iter(self.rest.get("schedules/groups")["items"]), None)

    def led_by(self, *children):
        """Which of these processes leads, once one does."""
        pids = {child.process.pid: child for child in children}

        def leader():
            found = self.group()["leader"]
            return pids.get(found["pid"]) if found else None

        return eventually(leader, "a leader among the schedulers", PATIENCE_S)

    def move(self, mode):
        self.rest.post("schedules/groups/move", self.place | {"mode": mode})
        eventually(lambda: self.group()["moving_to"] is None, f"moved to {mode}", PATIENCE_S)

    def mail(self, name, every=1, **more):
        specs = [{"kind": "interval", "every": every}]
        row = self.place | MAIL | {"name": name, "specs": specs} | more
        return self.rest.post("schedules", row)

    def fires(self, made, **query):
        return self.rest.get(f"schedules/{made['id']}/fires", limit=200, **query)["items"]

    def succeeded(self, made, count, since_ms=0):
        """So many fires of slots since then whose tasks succeeded, once there are."""

        def ended():
            found = [
                each for each in self.fires(made) if each["task"] and each["slot_ms"] > since_ms
            ]
            good = [each for each in found if each["task"]["state"] == "succeeded"]
            return good if len(good) >= count else None

        return eventually(ended, f"{count} fires whose tasks succeeded", PATIENCE_S)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    home = tmp_path_factory.mktemp("standalone")
    family = Family(home)
    try:
        found = Town(home, family)
        found.move("central")
        yield found
    finally:
        family.end()


@pytest.fixture(scope="module")
def first(town):
    return town.scheduler()


@pytest.fixture(scope="module")
def mail(town, first):
    return town.mail("mail")


def test_it_fires_on_time_through_the_worker_and_nobody_else_leads(town, first, mail):
    found = town.succeeded(mail, 5)

    slots = sorted(each["slot_ms"] for each in found)
    assert len(set(slots)) == len(slots)
    assert {each["status"] for each in found} == {"sent"}
    assert town.led_by(first) is first
    group = town.group()
    assert (group["mode"], group["store"]) == ("central", "brain")
    assert town.rest.get(f"schedules/{mail['id']}")["silent"] is None
