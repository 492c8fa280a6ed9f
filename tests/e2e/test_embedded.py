"""`z4j serve --scheduler`: the brain brings the scheduler of its central groups along."""

from __future__ import annotations

import os
import signal

import pytest
from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.rest import enter
from z4j_testing.demo.stack import PROJECT, open_shop
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]
MAIL = {"task": "shop.send_mail", "args": ["mei@mail.example", "Good morning"]}
PATIENCE_S = 60


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop whose brain was started with a scheduler, and what asks it."""
    home = tmp_path_factory.mktemp("embedded")
    family = Family(home)
    try:
        found = open_shop(family, home, free_port(), 0.1, "--scheduler", engines=["celery"])
        yield found, enter(found.brain.url, PROJECT, found.brain.link)
    finally:
        family.end(10.0)


def group(rest):
    return next(iter(rest.get("schedules/groups")["items"]), None)


def leader(rest, but=0):
    def led():
        found = group(rest)["leader"]
        return found if found and found["pid"] != but else None

    return eventually(led, "a leader", PATIENCE_S)


@pytest.fixture(scope="module")
def mail(shop):
    """A schedule of a group that was given to the scheduler, firing every second."""
    _, rest = shop
    found = eventually(lambda: group(rest), "the worker", PATIENCE_S)
    place = {"engine": found["engine"], "app": found["app"]}
    rest.post("schedules/groups/move", place | {"mode": "central"})
    specs = [{"kind": "interval", "every": 1}]
    return rest.post("schedules", place | MAIL | {"name": "mail", "specs": specs})


def succeeded(rest, made, count, since_ms=0):
    def ended():
        found = rest.get(f"schedules/{made['id']}/fires", limit=200)["items"]
        good = [
            each
            for each in found
            if each["slot_ms"] > since_ms and each["task"] and each["task"]["state"] == "succeeded"
        ]
        return good if len(good) >= count else None

    return eventually(ended, f"{count} fires whose tasks succeeded", PATIENCE_S)


def test_a_central_group_is_fired_by_the_scheduler_that_came_along(shop, mail):
    _, rest = shop
    succeeded(rest, mail, 3)

    (key,) = [each for each in rest.get("keys")["items"] if each["role"] == "scheduler"]
    assert key["label"] == "z4j serve --scheduler"
    assert key["sessions"] == 1
    assert is_alive(leader(rest)["pid"])


def test_one_that_dies_is_started_again_with_the_same_key(shop, mail):
    _, rest = shop
    pid = leader(rest)["pid"]
    newest = max(each["slot_ms"] for each in succeeded(rest, mail, 1))
    os.kill(pid, signal.SIGKILL)

    assert leader(rest, but=pid)["pid"] != pid
    succeeded(rest, mail, 3, newest)
    keys = [each for each in rest.get("keys")["items"] if each["role"] == "scheduler"]
    assert len(keys) == 1


def test_it_ends_with_its_brain_however_that_ends(shop, mail):
    found, rest = shop
    pid = leader(rest)["pid"]
    (brain,) = [each for each in found.family.children if each.name == "brain"]
    found.family.children.remove(brain)
    brain.process.kill()
    brain.process.wait()

    eventually(lambda: not is_alive(pid), "the end of the scheduler", PATIENCE_S)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - one line
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
