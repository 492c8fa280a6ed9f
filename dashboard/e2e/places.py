"""Brains with one agent by hand, and pages on them. The rule: brain, wire, browser are real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Locator, Page
from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.stack import start_brain

from .teller import APP, ENGINE, Teller, Told

PATIENCE_MS = 20_000
PHONE_PX = 390
REPORT = "Write the report of a day."
DEFINITIONS = [
    ["shop.report", "shop", REPORT, [["day", 1, False, None, "str"], ["deep", 3, True, "0", "int"]]]
]
ASK = """async ([method, path, body]) => {
  const headers = {"Content-Type": "application/json", "X-Z4J": "1"};
  const answer = await fetch(`/api/v1/projects/demo${path}`,
    {method, headers, body: body === null ? undefined : JSON.stringify(body)});
  if (!answer.ok) throw Error(await answer.text());
  return answer.json();
}"""


class Place(NamedTuple):
    """A brain, the agent that talks to it, and a browser that is let in."""

    url: str
    agent: Teller
    context: BrowserContext


@contextmanager
def told_brain(browser: Browser, home: Path) -> Iterator[Place]:
    """A brain with one agent of one app; the browser's clock is in Madrid."""
    family = Family(home)
    try:
        brain = start_brain(family, home, free_port())
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, timezone_id="Europe/Madrid"
        )
        first = context.new_page()
        first.goto(brain.link)
        first.get_by_role("navigation", name="places").wait_for()
        first.close()
        with Teller(brain.dsn, DEFINITIONS) as agent:
            yield Place(brain.url, agent, context)
        context.close()
    finally:
        family.end()


@contextmanager
def watched(context: BrowserContext) -> Iterator[Page]:
    """A page; an error of its code or a dialog that opens by itself fails the test."""
    made = context.new_page()
    faults: list[str] = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("dialog", lambda dialog: faults.append(f"a dialog opened: {dialog.message}"))
    yield made
    made.close()
    assert faults == []


def on_list(page: Page, url: str) -> Page:
    """The page, on the list of schedules."""
    page.goto(f"{url}/p/demo/schedules")
    page.get_by_role("link", name="New schedule").first.wait_for()
    return page


def made_by_rest(page: Page, name: str, **more: Any) -> str:
    """A schedule made over the API; its id."""
    document = {
        "engine": ENGINE, "app": APP, "name": name, "task": "shop.report",
        "kwargs": {"day": "today"}, "specs": [{"kind": "cron", "expr": "0 3 * * *"}], **more,
    }  # fmt: skip
    return str(page.evaluate(ASK, ["POST", "/schedules", document])["id"])


def opened(page: Page, place: Place, path: str) -> None:
    """Go to a page of schedules."""
    page.goto(f"{place.url}/p/demo/schedules{path}")


def row_of(page: Page, name: str) -> Locator:
    """The row of a schedule in the list."""
    return page.locator(f"[data-schedule='{name}']")


def fires_of(count: int, **more: Any) -> list[Told]:
    """Fires of the last days, oldest first."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    slots = [now - timedelta(days=back) for back in range(count, 0, -1)]
    return [
        Told(round(at.timestamp() * 1000), at.replace(tzinfo=None).isoformat(), **more)
        for at in slots
    ]
