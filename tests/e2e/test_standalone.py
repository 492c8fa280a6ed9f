"""A group that a scheduler of its own fires: brain, worker and schedulers are real processes."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections import Counter

import pytest
from z4j_core.agent.items import Source
from z4j_core.config import load
from z4j_core.scheduler.fires import fire_id
from z4j_scheduler.service import Scheduler
from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.rest import enter
from z4j_testing.demo.stack import PROJECT, open_shop, start_brain
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
MAIL = {"task": "shop.send_mail", "args": ["mei@mail.example", "Good morning"]}
PATIENCE_S = 60
TTL_S = 15
EVERY_S = 2


class Town:
    """A shop with a Celery worker whose schedules a scheduler fires, and what asks its brain."""

    def __init__(self, home, family):
        self.home, self.family = home, family
        self.port = free_port()
        shop = open_shop(family, home, self.port, 0.1, engines=["celery"])
        self.rest = enter(shop.brain.url, PROJECT, shop.brain.link)
        self.key = self.rest.post("keys", {"label": "central", "role": "scheduler"})
        self.numbers = iter(range(1, 100))
        for child in [c for c in family.children if c.name in ("desk", "front", "office")]:
            child.process.kill()
            self.gone(child)

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

    def mail(self, name, **more):
        specs = [{"kind": "interval", "every": EVERY_S}]
        row = self.place | MAIL | {"name": name, "specs": specs, "grace_s": 600} | more
        return self.rest.post("schedules", row)

    def newest(self, made):
        """The newest slot anything was told of."""
        return max((each["slot_ms"] for each in self.fires(made)), default=0)

    def all_of(self, made, first_ms):
        """Every slot from one on, up to the newest that is settled; none twice."""
        found = sorted(
            (each for each in self.fires(made) if each["slot_ms"] >= first_ms),
            key=lambda each: each["slot_ms"],
        )
        slots = [each["slot_ms"] for each in found]
        assert slots == list(range(slots[0], slots[-1] + 1, EVERY_S * 1000))
        assert {each["status"] for each in found[:-1]} <= {"sent", "claimed"}
        assert self.doubled() == []
        return found

    def doubled(self):
        """Fires that the worker was given more than once."""
        text = "".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in self.home.glob("celery*.log")
        )
        given = Counter(re.findall(r"Task shop\.send_mail\[([0-9a-f-]{36})\] received", text))
        return [name for name, times in given.items() if name[14] == "5" and times > 1]

    def restart_brain(self):
        """End the brain and start it again in its place."""
        (brain,) = [child for child in self.family.children if child.name == "brain"]
        self.family.children.remove(brain)
        brain.process.terminate()
        brain.process.wait(30)
        started = start_brain(self.family, self.home, self.port)
        self.rest = enter(started.url, PROJECT, started.link)

    def gone(self, child):
        """Take a process that was ended out of those that must be alive."""
        self.family.children.remove(child)
        return child.process.wait(30)

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


def test_what_the_app_does_not_permit_is_told_as_a_refused_fire(town, first):
    made = town.mail("nothing", task="shop.no_such_task")

    def refused():
        return [each for each in town.fires(made) if each["status"] == "refused"]

    found = eventually(refused, "a refused fire", PATIENCE_S)
    town.rest.post(f"schedules/{made['id']}/pause", {})
    assert "policy.unknown_task" in found[0]["reason"]
    assert found[0]["task"] is None
    assert found[0]["slot_local"]


def test_s11_its_key_gets_nothing_but_a_due_slot_of_a_group_it_leads(town, first, mail):
    town.succeeded(mail, 1)
    settings = load({"dsn": town.key["dsn"]}, environ={}).settings
    thief = Scheduler(settings, [Source("none", "none")])
    thief.start()
    try:
        eventually(lambda: thief.is_connected and thief.errands.is_open, "a session", PATIENCE_S)
        engine, app = town.place.values()

        def ask(op, *args):
            return thief.errands.ask(engine, app, op, args, 10.0).status

        slot = town.newest(mail)
        leader = town.group()["leader"]
        assert ask(11, "thief", leader["epoch"], mail["id"], 1, slot) == -1
        assert ask(11, "thief", leader["epoch"], mail["id"], 1, slot, "shop.send_mail", []) == -5
        assert ask(1, "thief", 15_000, b"x" * 16, "999999.999999999999") in (-1, -2)
        assert [ask(op, mail["id"], fire_id(mail["id"], 1, slot), 1) for op in (8, 9, 12)] == [
            -5
        ] * 3
        line = [slot, mail["id"], 1, slot, 8, 1, 1, slot, 0, 1, 1, "", 0, "a lie"]
        assert ask(13, "thief", leader["epoch"], [line]) == -1
        assert "a lie" not in {each["reason"] for each in town.fires(mail)}
    finally:
        thief.stop()


def test_a_leader_that_is_killed_is_followed_and_no_slot_is_lost_or_doubled(town, first, mail):
    second = town.scheduler()
    eventually(lambda: len(town.group()["candidates"]) >= 2, "a standby", PATIENCE_S)
    leader = town.led_by(first, second)
    other = second if leader is first else first
    before = town.newest(mail)
    killed_ms = int(time.time() * 1000)
    leader.process.send_signal(signal.SIGKILL)
    town.gone(leader)

    town.succeeded(mail, 5, killed_ms + TTL_S * 1000)
    found = town.all_of(mail, before)
    assert town.led_by(other) is other
    epochs = sorted({each["epoch"] for each in found if each["epoch"]})
    assert len(epochs) == 2
    assert epochs[1] - killed_ms <= (TTL_S + 5) * 1000


def test_one_that_is_told_to_stop_hands_over_at_once(town, mail):
    third = town.scheduler()
    eventually(lambda: len(town.group()["candidates"]) >= 2, "a standby", PATIENCE_S)
    running = [each for each in town.family.children if each.name.startswith("scheduler")]
    leader = town.led_by(*running)
    (standby,) = [each for each in running if each is not leader]
    before, told_ms = town.newest(mail), int(time.time() * 1000)
    leader.process.send_signal(signal.SIGTERM)

    assert town.gone(leader) == 0
    assert town.led_by(standby) is standby
    assert town.group()["leader"]["epoch"] - told_ms < (TTL_S - 3) * 1000
    town.succeeded(mail, 3, told_ms)
    town.all_of(mail, before)
    assert third in running


def test_a_brain_that_was_away_misses_nothing(town, mail):
    before = town.newest(mail)
    town.restart_brain()
    back_ms = int(time.time() * 1000)

    town.succeeded(mail, 3, back_ms)
    town.all_of(mail, before)


def test_a_group_goes_back_to_its_agents_without_losing_or_doubling_a_slot(town, mail):
    before = town.newest(mail)
    town.move("agents")
    moved_ms = int(time.time() * 1000)

    town.succeeded(mail, 3, moved_ms)
    group = town.group()
    assert (group["mode"], group["store"]) == ("agents", None)
    schedulers = {each.process.pid for each in town.family.children if "scheduler" in each.name}
    assert group["leader"]["pid"] not in schedulers
    town.all_of(mail, before)
