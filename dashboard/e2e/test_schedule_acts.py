"""Acts of schedules in a real browser, carried out by a real worker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from z4j_testing.demo.processes import Family

from . import floor
from .floor import QUEUE, Floor
from .test_schedules import ASK

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
PATIENCE_MS = 45_000
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "'\"><script>alert(1)</script>",
    "javascript:alert(1)//",
    "{{constructor.constructor('alert(1)')()}}",
    "\u202egnp.exe\u202c \u200b\u2066\u2069",
    "</title><svg/onload=alert(1)>",
    "a" * 180,
]


@pytest.fixture(scope="module")
def place(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """A brain, a Redis and a worker."""
    home = tmp_path_factory.mktemp("floor")
    family = Family(home)
    try:
        made = floor.start(family, home, browser)
        yield made
        made.context.close()
    finally:
        family.end()


@pytest.fixture
def page(place: Floor) -> Iterator[Page]:
    """A page on the list; an error, a dialog or a broken content policy fails the test."""
    made = place.context.new_page()
    faults: list[str] = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("dialog", lambda dialog: faults.append(f"a dialog opened: {dialog.message}"))
    made.on(
        "console",
        lambda said: faults.append(said.text) if "Content Security" in said.text else None,
    )
    made.goto(f"{place.url}/p/demo/schedules")
    made.get_by_role("link", name="New schedule").first.wait_for()
    yield made
    made.close()
    assert faults == []


def made_by_rest(page: Page, place: Floor, name: str, **more: Any) -> str:
    document = {
        "engine": "rq", "app": place.app, "name": name, "task": "floor_tasks.report",
        "queue": QUEUE, "specs": [{"kind": "cron", "expr": "0 3 1 1 *"}], **more,
    }  # fmt: skip
    return str(page.evaluate(ASK, ["POST", "/schedules", document])["id"])


def opened(page: Page, place: Floor, path: str) -> None:
    page.goto(f"{place.url}/p/demo/schedules{path}")


def test_a_fire_by_hand_runs_and_is_replayed_as_another_task(page: Page, place: Floor) -> None:
    schedule = made_by_rest(page, place, "by hand", kwargs={"day": "monday"})
    opened(page, place, f"/{schedule}")
    page.get_by_role("button", name="Fire now").click(timeout=PATIENCE_MS)
    page.get_by_role("dialog").get_by_label("Reason").fill("the report was asked for")
    page.get_by_role("button", name="Fire 1").click()
    sent = page.locator("tr[data-status=sent]")
    expect(sent).to_have_count(1, timeout=PATIENCE_MS)
    expect(sent.first).to_contain_text("succeeded", timeout=PATIENCE_MS)
    expect(sent.first).to_contain_text("by hand")

    sent.first.get_by_role("button", name=re.compile("^replay the slot")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The task gets a new id")
    dialog.get_by_role("button", name="Replay 1").click()

    expect(sent).to_have_count(2, timeout=PATIENCE_MS)
    expect(sent.filter(has_text="replay")).to_contain_text("succeeded", timeout=PATIENCE_MS)
    links = {each.get_attribute("href") for each in sent.get_by_role("link").all()}
    assert len(links) == len(sent.all())


def test_a_backfill_fires_nothing_before_it_is_confirmed_and_then_each_slot(
    page: Page, place: Floor
) -> None:
    schedule = made_by_rest(
        page, place, "gaps", specs=[{"kind": "cron", "expr": "0 6 * * *", "tz": "UTC"}]
    )
    opened(page, place, f"/{schedule}")
    page.get_by_role("button", name="Backfill").click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("From").fill("2026-03-01T00:00")
    dialog.get_by_label("To", exact=True).fill("2026-03-04T00:00")
    expect(dialog.get_by_test_id("dry")).to_contain_text("3 slots", timeout=PATIENCE_MS)
    assert page.evaluate(ASK, ["GET", f"/schedules/{schedule}/fires", None])["items"] == []

    dialog.get_by_role("button", name="Fire 3").click()

    rows = page.locator("tr[data-status=sent]").filter(has_text="backfill")
    expect(rows).to_have_count(3, timeout=PATIENCE_MS)
    expect(rows.filter(has_text="succeeded")).to_have_count(3, timeout=PATIENCE_MS)
    found = page.evaluate(ASK, ["GET", f"/schedules/{schedule}/fires", None])["items"]
    assert [each["slot_ms"] % 86_400_000 for each in found] == [6 * 3_600_000] * 3


def test_a_fire_that_the_app_refuses_is_told_where_the_user_looks(page: Page, place: Floor) -> None:
    schedule = made_by_rest(page, place, "locked", task="floor_tasks.locked")
    opened(page, place, f"/{schedule}")
    page.get_by_role("button", name="Fire now").click(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Fire 1").click()

    refused = page.locator("tr[data-status=refused]")
    expect(refused).to_contain_text("policy", timeout=PATIENCE_MS)
    expect(refused).to_contain_text("by hand")
    opened(page, place, "?q=locked")
    row = page.locator("[data-schedule='locked']")
    expect(row).to_contain_text("refused", timeout=PATIENCE_MS)
    opened(page, place, "/fires?q=status:refused")
    expect(page.get_by_role("row").filter(has_text="locked")).to_contain_text("policy")


def test_paused_until_a_time_of_mine_it_goes_on_by_itself_in_words(
    page: Page, place: Floor
) -> None:
    made_by_rest(page, place, "patient")
    opened(page, place, "?q=patient")
    row = page.locator("[data-schedule='patient']")
    row.get_by_role("button", name="pause patient").click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Until").select_option("at")
    time = dialog.get_by_label("Time, in your zone")
    time.fill("2020-01-01T00:00")
    act = dialog.get_by_role("button", name="Pause")
    expect(act).to_have_attribute("aria-disabled", "true")
    time.fill("2040-01-02T03:04")
    act.click()

    expect(row).to_contain_text(re.compile("paused until .*03:04"), timeout=PATIENCE_MS)


def test_delete_wants_the_name_and_the_reason_is_kept(page: Page, place: Floor) -> None:
    schedule = made_by_rest(page, place, "obsolete")
    opened(page, place, f"/{schedule}")
    page.get_by_role("button", name="Delete").click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    act = dialog.get_by_role("button", name="Delete 1")
    expect(act).to_have_attribute("aria-disabled", "true")
    dialog.get_by_label("Type obsolete to confirm").fill("obsolete")
    dialog.get_by_label("Reason").fill("nobody reads it")
    act.click()

    expect(page).to_have_url(re.compile("/schedules$"), timeout=PATIENCE_MS)
    left = page.evaluate(ASK, ["GET", "/schedules?q=obsolete", None])
    assert left["total"] == 0


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_a_schedule_stays_text_on_every_page(
    page: Page, place: Floor, text: str
) -> None:
    printable = "".join(char if char.isprintable() else "?" for char in text)
    schedule = made_by_rest(
        page, place, printable, description=text, args=[text], kwargs={text: {"deep": [text]}},
        tags=[printable[:64]], queue=printable[:60], task=printable,
        specs=[{"kind": "interval", "every": 3600}],
    )  # fmt: skip
    for path in ("", "?tab=week", f"/{schedule}", f"/{schedule}/edit", "/fires", "/drift"):
        opened(page, place, path)
        page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE_MS)
        page.wait_for_load_state("networkidle")
        assert page.locator("img, main script, main svg[onload]").count() == 0
    opened(page, place, f"/{schedule}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        re.sub(r"[^\x20-\x7e].*", "", printable)[:20], timeout=PATIENCE_MS
    )
