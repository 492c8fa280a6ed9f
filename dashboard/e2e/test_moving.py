"""A group goes from its agents to a z4j-scheduler and back, all of it from the browser."""

from __future__ import annotations

import re
import signal
import sys
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import redis
from playwright.sync_api import Browser, Locator, Page, expect
from z4j_testing.services import redis_url

from .places import ASK, on_list, watched
from .secured import PASSWORD, House, secured_brain

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
PATIENCE_MS = 60_000
EVERY_S = 2
SHOP = """
    import os
    from celery import Celery
    app = Celery("shop", broker=os.environ["SHOP_REDIS"])
    app.conf.worker_redirect_stdouts = False

    @app.task(name="shop.tick")
    def tick():
        return 1
"""


class Town(NamedTuple):
    """A brain, and the parts of the shop that are started with keys made in the browser."""

    house: House
    broker: str

    def start(self, name: str, dsn: str, *command: str) -> None:
        home = self.house.home
        env = {"Z4J_DSN": dsn, "Z4J_SPOOL_DIR": str(home / name), "SHOP_REDIS": self.broker,
               "PYTHONPATH": str(home)}  # fmt: skip
        self.house.family.start(name, [sys.executable, "-m", *command], env, signal.SIGTERM)


@pytest.fixture(scope="module")
def town(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    broker = redis_url(12)
    home = tmp_path_factory.mktemp("moving")
    with redis.Redis.from_url(broker) as store, secured_brain(browser, home) as house:
        store.flushdb()
        (home / "shop.py").write_text(textwrap.dedent(SHOP), encoding="utf-8")
        yield Town(house, broker)
        house.family.end()
        store.flushdb()


@pytest.fixture
def page(town: Town) -> Iterator[Page]:
    with watched(town.house.context) as page:
        yield on_list(page, town.house.url)


def key_of(page: Page, town: Town, role: str) -> str:
    """Make a key on the settings page; its DSN."""
    page.goto(f"{town.house.url}/p/demo/settings")
    page.get_by_label("label", exact=True).fill(f"the {role}")
    page.get_by_label("role", exact=True).select_option(role)
    page.get_by_role("button", name="Create key").click()
    return page.get_by_test_id("dsn").inner_text(timeout=PATIENCE_MS)


def group_of(page: Page, town: Town) -> Locator:
    page.goto(f"{town.house.url}/p/demo/schedules/leaders")
    return page.get_by_role("region", name=re.compile("^celery"))


def fired_since(page: Page, schedule: str) -> None:
    """Wait until a slot is sent that had not come yet."""
    script = """async ([ask, id, since]) => {
      const found = await (await fetch(`/api/v1/projects/demo/schedules/${id}/fires`)).json();
      return found.items.some((one) => one.status === "sent" && one.slot_ms > since);
    }"""
    since = page.evaluate("Date.now()")
    page.wait_for_function(script, arg=[None, schedule, since], timeout=PATIENCE_MS, polling=500)


def test_there_and_back_with_a_preview_a_proof_and_both_phases(page: Page, town: Town) -> None:
    town.start(
        "worker", key_of(page, town, "agent"), "celery", "-A", "shop", "worker", "-P", "solo"
    )
    group = group_of(page, town)
    expect(group).to_contain_text("fired by its agents", timeout=PATIENCE_MS)
    place = page.evaluate(ASK, ["GET", "/schedules/groups", None])["items"][0]
    schedule = page.evaluate(ASK, ["POST", "/schedules", {
        "engine": "celery", "app": place["app"], "name": "tick", "task": "shop.tick",
        "specs": [{"kind": "interval", "every": EVERY_S}], "grace_s": 600,
    }])["id"]  # fmt: skip
    fired_since(page, schedule)

    move = group.get_by_role("button", name="Move to z4j-scheduler…")
    move.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("lets go")
    expect(dialog).to_contain_text("No z4j-scheduler is connected: nothing fires until one is")
    dialog.get_by_role("button", name="Back", exact=True).click()
    town.start("scheduler", key_of(page, town, "scheduler"), "z4j_scheduler", "serve")
    group = group_of(page, town)
    town.house.age_the_proof()
    expect(group.get_by_role("button", name="Move to z4j-scheduler…")).to_be_visible(
        timeout=PATIENCE_MS
    )
    page.wait_for_function(
        """async () => (await (await fetch("/api/v1/projects/demo/schedules/groups")).json())
          .items[0].schedulers === 1""",
        timeout=PATIENCE_MS, polling=500,
    )  # fmt: skip
    page.reload()
    group.get_by_role("button", name="Move to z4j-scheduler…").click(timeout=PATIENCE_MS)
    expect(dialog).to_contain_text("a z4j-scheduler fires 1 schedule")
    expect(dialog).not_to_contain_text("No z4j-scheduler is connected")
    dialog.get_by_role("button", name="Move 1 schedule").click()
    dialog.get_by_label("Your password again").fill(PASSWORD, timeout=PATIENCE_MS)
    dialog.get_by_role("button", name="Go on").click()

    phases = group.get_by_role("list", name="move")
    expect(phases).to_contain_text("nobody fires it ·", timeout=PATIENCE_MS)
    expect(phases).to_contain_text("z4j-scheduler fires it")
    expect(group).to_contain_text("fired by z4j-scheduler", timeout=PATIENCE_MS)
    expect(group.locator("tr[data-leader]")).to_contain_text("scheduler", timeout=PATIENCE_MS)
    fired_since(page, schedule)

    group.get_by_role("button", name="Give back to its agents…").click()
    dialog.get_by_role("button", name="Move 1 schedule").click()
    expect(group).to_contain_text("fired by its agents", timeout=PATIENCE_MS)
    expect(group.locator("tr[data-leader]")).to_contain_text("worker", timeout=PATIENCE_MS)
    fired_since(page, schedule)


def test_a_group_that_somebody_else_moves_meanwhile_says_so(page: Page, town: Town) -> None:
    group = group_of(page, town)
    group.get_by_role("button", name="Move to z4j-scheduler…").click(timeout=PATIENCE_MS)
    place = page.evaluate(ASK, ["GET", "/schedules/groups", None])["items"][0]
    body = {"engine": "celery", "app": place["app"], "mode": "central"}
    page.evaluate(ASK, ["POST", "/schedules/groups/move", body])

    page.get_by_role("dialog").get_by_role("button", name="Move 1 schedule").click()

    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(
        "this group is being moved", timeout=PATIENCE_MS
    )
