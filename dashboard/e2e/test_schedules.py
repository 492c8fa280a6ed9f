"""Schedules in a real browser against a real brain, told of fires by an agent over the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from .places import (
    ASK,
    PATIENCE_MS,
    PHONE_PX,
    REPORT,
    Place,
    fires_of,
    made_by_rest,
    on_list,
    opened,
    row_of,
    told_brain,
    watched,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
EDIT = """async ([id, document]) => {
  const url = `/api/v1/projects/demo/schedules/${id}`;
  const now = (await fetch(url)).headers.get("ETag");
  const headers = {"Content-Type": "application/json", "X-Z4J": "1", "If-Match": now};
  const init = document ? {method: "PATCH", body: JSON.stringify(document)} : {method: "DELETE"};
  const answer = await fetch(url, {...init, headers});
  if (!answer.ok) throw Error(await answer.text());
}"""
"""What somebody else does to a schedule meanwhile: an edit, or with no document its end."""


@pytest.fixture(scope="module")
def place(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with told_brain(browser, tmp_path_factory.mktemp("schedules")) as place:
        yield place


@pytest.fixture
def page(place: Place) -> Iterator[Page]:
    with watched(place.context) as page:
        yield on_list(page, place.url)


def test_a_project_without_schedules_is_told_what_they_are(page: Page) -> None:
    expect(page.get_by_text("No schedule yet")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("it goes on while this server is away")).to_be_visible()


def test_what_a_changing_clock_does_to_a_schedule_is_seen_before_it_is_made(
    page: Page, place: Place
) -> None:
    opened(page, place, "/new")
    page.get_by_label("name", exact=True).fill("nightly")
    page.get_by_label("definition").fill("shop.report")
    expect(page.get_by_text(REPORT)).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("textbox", name="day str").fill("yesterday")
    page.get_by_label("expression").fill("30 1,2 * * *")
    page.get_by_label("time zone").fill("America/New_York")
    page.get_by_label("when clocks change").select_option("both")
    preview = page.get_by_role("complementary", name="preview")

    marked = preview.locator("tr[data-note]")
    expect(
        marked.filter(has_text=re.compile("the clock (skips its|shows this)"))
    ).not_to_have_count(0, timeout=PATIENCE_MS)
    page.get_by_text("advanced:").click()
    page.get_by_label("not before").fill("2036-11-01T00:00:00")
    second = marked.filter(has_text="this is the second")
    expect(second).to_contain_text("Sun 2036-11-02 01:30", timeout=PATIENCE_MS)
    expect(second).to_contain_text("Sun 2036-11-02 07:30")
    expect(preview).to_contain_text("clocks went back in America/New_York: UTC\u22125 from here")
    page.get_by_label("not before").fill("2036-03-08T00:00:00")
    expect(marked.filter(has_text="the clock skips its time")).to_contain_text(
        "Sun 2036-03-09 03:00", timeout=PATIENCE_MS
    )

    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="nightly")).to_be_visible(timeout=PATIENCE_MS)
    opened(page, place, "?q=nightly")
    expect(row_of(page, "nightly")).to_contain_text("America/New_York", timeout=PATIENCE_MS)


def test_a_wrong_field_is_marked_where_it_stands(page: Page, place: Place) -> None:
    opened(page, place, "/new")
    page.get_by_label("expression").fill("61 * * * *")

    fault = page.get_by_role("alert").filter(has_text="61")
    expect(fault).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_label("expression")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Create")).to_have_attribute("aria-disabled", "true")


def test_of_two_who_edit_at_once_the_second_chooses_field_by_field(
    page: Page, place: Place
) -> None:
    schedule = made_by_rest(page, "disputed")
    other = place.context.new_page()
    for one in (page, other):
        opened(one, place, f"/{schedule}/edit")
        expect(one.get_by_label("name", exact=True)).to_have_value("disputed", timeout=PATIENCE_MS)
    other.get_by_label("name", exact=True).fill("theirs")
    other.get_by_label("late by at most").fill("90")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("heading", name="theirs")).to_be_visible(timeout=PATIENCE_MS)
    other.close()

    page.get_by_label("name", exact=True).fill("mine")
    page.get_by_label("queue").fill("slow")
    page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("grace_s", timeout=PATIENCE_MS)
    result = dialog.get_by_role("button", name="Save the result")
    expect(result).to_have_attribute("aria-disabled", "true")
    dialog.get_by_role("radio", name="yours").check()
    result.click()

    expect(page.get_by_role("heading", name="mine")).to_be_visible(timeout=PATIENCE_MS)
    kept = page.evaluate(ASK, ["GET", f"/schedules/{schedule}", None])
    assert (kept["name"], kept["queue"], kept["grace_s"]) == ("mine", "slow", 90)


def test_the_second_editor_loses_nothing_that_was_typed(page: Page, place: Place) -> None:
    schedule = made_by_rest(page, "typed in vain")
    opened(page, place, f"/{schedule}/edit")
    page.get_by_label("name", exact=True).fill("mine", timeout=PATIENCE_MS)
    page.get_by_role("textbox", name="day str").fill("the day I typed")
    page.get_by_label("queue").fill("mine alone")
    page.evaluate(EDIT, [schedule, {"name": "theirs"}])
    save = page.get_by_role("button", name="Save", exact=True)
    save.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Somebody saved this schedule", timeout=PATIENCE_MS)
    expect(dialog.locator("fieldset")).to_contain_text(["name"])

    dialog.get_by_role("button", name="Back", exact=True).click()

    expect(page.get_by_label("name", exact=True)).to_have_value("mine")
    expect(page.get_by_role("textbox", name="day str")).to_have_value("the day I typed")
    expect(page.get_by_label("queue")).to_have_value("mine alone")
    save.click()
    expect(dialog).to_contain_text("theirs", timeout=PATIENCE_MS)
    assert page.evaluate(ASK, ["GET", f"/schedules/{schedule}", None])["name"] == "theirs"


def test_an_edit_of_what_somebody_deleted_says_so_and_keeps_the_form(
    page: Page, place: Place
) -> None:
    schedule = made_by_rest(page, "gone meanwhile")
    opened(page, place, f"/{schedule}/edit")
    page.get_by_label("queue").fill("typed", timeout=PATIENCE_MS)
    page.evaluate(EDIT, [schedule, None])

    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("alert").filter(has_text="no such schedule")).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(page.get_by_label("queue")).to_have_value("typed")


def test_paused_it_says_by_what_note_and_resumed_it_counts_down_again(
    page: Page, place: Place
) -> None:
    made_by_rest(page, "patient")
    opened(page, place, "?q=patient")
    row = row_of(page, "patient")
    row.get_by_role("button", name="pause patient").click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Until").select_option("8")
    dialog.get_by_label("Note").fill("the disk is being replaced")
    dialog.get_by_role("button", name="Pause").click()

    expect(row).to_contain_text("paused until", timeout=PATIENCE_MS)
    expect(row).to_contain_text("the disk is being replaced")
    row.get_by_role("button", name="resume patient").click()
    expect(row).not_to_contain_text("paused", timeout=PATIENCE_MS)
    expect(row).to_contain_text(re.compile(r"in \d+"))


def test_what_may_not_be_done_says_why(page: Page, place: Place) -> None:
    schedule = made_by_rest(page, "alone", app="nobody")
    opened(page, place, f"/{schedule}")
    fire = page.get_by_role("button", name="Fire now")

    expect(fire).to_have_attribute("aria-disabled", "true", timeout=PATIENCE_MS)
    expect(fire).to_have_attribute("title", re.compile("agent"))
    expect(page.get_by_text("no agent of this group is connected").first).to_be_visible()


def test_fires_appear_as_they_are_told_each_with_its_own_shape(page: Page, place: Place) -> None:
    schedule = made_by_rest(page, "busy")
    opened(page, place, "?q=busy")
    strip = row_of(page, "busy").get_by_role("img")
    expect(strip).to_have_attribute("aria-label", "no fires yet", timeout=PATIENCE_MS)
    fires = fires_of(5)
    fires[1] = fires[1]._replace(status="missed", reason="outage")
    fires[2] = fires[2]._replace(failed=True)
    fires[3] = fires[3]._replace(lag_ms=120_000)

    place.agent.tell(schedule, fires)

    expect(strip).to_have_attribute(
        "aria-label", "newest fires: 2 on time, 1 late, 1 failed, 1 missed", timeout=PATIENCE_MS
    )
    opened(page, place, f"/{schedule}")
    failed = page.get_by_role("row").filter(has_text="failed").first
    expect(failed).to_be_visible(timeout=PATIENCE_MS)
    missed = page.locator("tr[data-status=missed]")
    expect(missed).to_contain_text("outage")
    expect(page.locator("tr[data-status]")).to_have_count(5)
    expect(page.get_by_text("leads · epoch 1")).to_be_visible(timeout=PATIENCE_MS)
    page.locator("tr[data-status=sent]").get_by_role("link").first.click()
    expect(page.get_by_test_id("task")).to_contain_text("shop.report", timeout=PATIENCE_MS)


def test_a_backfill_counts_its_slots_and_fires_none_before_it_is_confirmed(
    page: Page, place: Place
) -> None:
    schedule = made_by_rest(page, "gaps")
    opened(page, place, f"/{schedule}")
    page.get_by_role("button", name="Backfill").click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("From").fill("2026-03-01T00:00")
    dialog.get_by_label("To", exact=True).fill("2026-03-08T00:00")

    expect(dialog.get_by_test_id("dry")).to_contain_text("7 slots", timeout=PATIENCE_MS)
    expect(dialog.get_by_role("button", name="Fire 7")).to_be_visible()
    dialog.get_by_role("button", name="Back", exact=True).click()
    page.reload()
    expect(page.get_by_text("It has not fired yet.")).to_be_visible(timeout=PATIENCE_MS)


def test_an_old_revision_comes_back(page: Page, place: Place) -> None:
    schedule = made_by_rest(page, "wandering")
    opened(page, place, f"/{schedule}/edit")
    page.get_by_label("queue").fill("slow", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Restore").click(timeout=PATIENCE_MS)

    expect(page.get_by_role("button", name="Restore")).to_have_count(2, timeout=PATIENCE_MS)
    assert page.evaluate(ASK, ["GET", f"/schedules/{schedule}", None])["queue"] is None


@pytest.mark.parametrize("path", ["", "/new", "/{id}", "/{id}/edit"])
def test_no_page_of_schedules_scrolls_sideways_on_a_phone(
    page: Page, place: Place, path: str
) -> None:
    schedule = made_by_rest(page, f"narrow {uuid4()}"[:16])
    place.agent.tell(schedule, fires_of(40))
    page.set_viewport_size({"width": PHONE_PX, "height": 844})
    opened(page, place, path.replace("{id}", schedule))
    page.get_by_role("heading", level=1).wait_for(timeout=PATIENCE_MS)
    expect(page.locator("[data-note], table, form").first).to_be_visible(timeout=PATIENCE_MS)

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_PX


def test_the_keyboard_reaches_every_part(page: Page, place: Place) -> None:
    made_by_rest(page, "by keys")
    opened(page, place, "?q=keys")
    row_of(page, "by keys").wait_for(timeout=PATIENCE_MS)

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="by keys")).to_be_visible(timeout=PATIENCE_MS)
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="Edit by keys")).to_be_visible(timeout=PATIENCE_MS)
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="New schedule")).to_be_visible(timeout=PATIENCE_MS)
