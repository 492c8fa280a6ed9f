"""Schedules fire from real agents, each a process of its own; the broker is a real Redis."""

from __future__ import annotations

import signal
import time

import pytest
from homes import schedule
from leaders import Broker, Fleet, quit_
from z4j_core.wire.items import Fire
from z4j_testing.signals import eventually

GROUP = ("toy", "toyapp")
SHORT = {"store": {"ttl_ms": 6_000}}
SECONDS = [{"kind": "interval", "every": "PT1S", "anchor": "epoch"}]
FAR = [{"kind": "once", "at": "2100-01-01T00:00:00Z"}]


@pytest.fixture
def broker(tmp_path):
    running = Broker(tmp_path)
    yield running
    running.close()


@pytest.fixture
def fleet(broker, tmp_path):
    running = Fleet(broker, tmp_path)
    yield running
    running.close()


def now_ms():
    return int(time.time() * 1000)


def at(ms):
    return [{"kind": "interval", "every": "PT1H", "anchor": ms}]


def until(found, what, timeout_s=30.0):
    return eventually(found, what, timeout_s)


def may_lead(brain, count=1):
    brain.wait_for(
        lambda: sum(g.candidate for link in brain.links for g in link.groups) == count, 30
    )


def fires(brain):
    return [item for item in brain.store.items if isinstance(item, Fire)]


def test_an_edit_is_fired_and_written_down(brain, fleet, broker):
    fleet.start(brain.dsn)
    may_lead(brain)

    brain.publish(*GROUP, schedule(1, created_ms=now_ms()), **SHORT)

    until(lambda: len(broker.sent()) >= 2, "two fires")
    brain.wait_for(lambda: sum(fire.status == 3 for fire in fires(brain)) >= 2, 30)
    sent = {fire.fire_id.hex() for fire in fires(brain) if fire.status == 3}
    assert {row[0].replace("-", "") for row in broker.sent()[:2]} <= sent
    assert len({row[0] for row in broker.sent()}) == len(broker.sent())
