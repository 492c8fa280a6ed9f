"""Fires that somebody orders, from the page down to the worker: of the demo's own Celery."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
PATIENCE_MS = 60_000
SLOTS = 3
ID_OF = """async (name) => {
  const answer = await fetch(`/api/v1/projects/demo/schedules?q=name:"${name}"`);
  return (await answer.json()).items[0].id;
}"""


def opened(page: Page, base: str, name: str) -> None:
    page.goto(f"{base}/p/demo/schedules")
    page.get_by_role("link", name="New schedule").first.wait_for(timeout=PATIENCE_MS)
    page.goto(f"{base}/p/demo/schedules/{page.evaluate(ID_OF, name)}")
    page.get_by_role("heading", name=name).wait_for(timeout=PATIENCE_MS)


def fires_that(page: Page, why: str) -> Locator:
    return page.locator("tr[data-status=sent]").filter(has_text=why)


def test_a_fire_that_is_replayed_runs_once_more_on_a_worker(page: Page, base: str) -> None:
    opened(page, base, "morning letter")
    done = fires_that(page, "on schedule").filter(has=page.get_by_role("link", name="succeeded"))
    done.last.get_by_role("button", name=re.compile("^replay the slot")).click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("One task is enqueued now for a slot that has passed")
    expect(dialog.get_by_role("combobox")).to_have_value("then")
    expect(fires_that(page, "replay")).to_have_count(0)

    dialog.get_by_role("button", name="Replay 1").click()

    again = fires_that(page, "replay")
    expect(again).to_have_count(1, timeout=PATIENCE_MS)
    again.get_by_role("link").click(timeout=PATIENCE_MS)
    task = page.get_by_test_id("task")
    expect(task).to_contain_text("shop.send_mail", timeout=PATIENCE_MS)
    expect(task).to_contain_text("staff@shop.example")


def test_a_backfill_fires_the_slots_its_dry_run_counted_and_no_other(page: Page, base: str) -> None:
    opened(page, base, "night before the clocks change")
    expect(page.get_by_text("It has not fired yet.")).to_be_visible(timeout=PATIENCE_MS)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    page.get_by_role("button", name="Backfill").click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("From").fill(f"{today - timedelta(days=10):%Y-%m-%dT%H:%M}")
    dialog.get_by_label("To", exact=True).fill(
        f"{today - timedelta(days=10 - SLOTS):%Y-%m-%dT%H:%M}"
    )
    expect(dialog.get_by_test_id("dry")).to_contain_text("3 slots", timeout=PATIENCE_MS)
    expect(page.locator("tr[data-status]")).to_have_count(0)

    dialog.get_by_role("button", name=f"Fire {SLOTS}").click()

    made = fires_that(page, "backfill")
    expect(made).to_have_count(SLOTS, timeout=PATIENCE_MS)
    expect(made.get_by_role("link")).to_have_count(SLOTS, timeout=PATIENCE_MS)
    days = [f"{today - timedelta(days=back):%Y-%m-%d}" for back in (8, 9, 10)]
    expect(made).to_contain_text(days)
    expect(page.locator("tr[data-status]")).to_have_count(SLOTS)


def test_a_count_on_the_now_page_opens_the_schedules_it_counts(page: Page, base: str) -> None:
    opened(page, base, "whole index")
    page.get_by_role("button", name="Pause", exact=True).click(timeout=PATIENCE_MS)
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").wait_for(timeout=PATIENCE_MS)

    page.goto(f"{base}/p/demo")
    page.get_by_role("link", name="1 schedule paused").click(timeout=PATIENCE_MS)

    expect(page.locator("[data-schedule]")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.locator("[data-schedule]")).to_contain_text("whole index")
