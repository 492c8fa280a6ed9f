"""What people write into a schedule is text: it is seen as it is, nothing of it runs or hides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .places import (
    ASK,
    PATIENCE_MS,
    Place,
    fires_of,
    made_by_rest,
    on_list,
    opened,
    told_brain,
    watched,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
HTML = "<img src=x onerror=alert(1)>"
TURNED, UNSEEN = "\u202e", "\u200b"
HOSTILE = f"{HTML}{TURNED}{UNSEEN}{{{{7*7}}}}"
SHOWN = f"{HTML}\\u202e\\u200b{{{{7*7}}}}"
HIDDEN = """() => {
  const found = [];
  for (const one of document.querySelectorAll("body, body *:not(textarea)")) {
    const own = [...one.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const said = [...own.map((node) => node.data), one.title, one.ariaLabel];
    found.push(...said.filter((text) => /[\\u202e\\u200b]/.test(text ?? "")));
  }
  return [...found, ...(/[\\u202e\\u200b]/.test(document.title) ? [document.title] : [])];
}"""
"""Texts, titles and labels of the page, fields aside, that hold what a reader cannot see."""


@pytest.fixture(scope="module")
def place(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with told_brain(browser, tmp_path_factory.mktemp("hostile")) as place:
        yield place


@pytest.fixture(scope="module")
def schedule(place: Place) -> str:
    """A schedule that is hostile in all that people write, paused with such a note, with fires."""
    with watched(place.context) as page:
        on_list(page, place.url)
        made = made_by_rest(
            page, HOSTILE, description=HOSTILE, tags=[HTML], queue=HOSTILE,
            kwargs={"day": HOSTILE}, headers={HOSTILE: HOSTILE},
        )  # fmt: skip
        page.evaluate(ASK, ["POST", f"/schedules/{made}/pause", {"note": HOSTILE}])
        fires = fires_of(4)
        fires[1] = fires[1]._replace(status="missed", reason=HOSTILE)
        place.agent.tell(made, fires)
    return made


@pytest.fixture
def page(place: Place) -> Iterator[Page]:
    with watched(place.context) as page:
        yield page


@pytest.mark.parametrize(
    ("path", "times"),
    [("", 2), ("/{id}", 3), ("/fires", 2), ("?tab=week", 0), ("/leaders", 0), ("/{id}/edit", 1)],
)
def test_on_every_page_it_stays_text(
    page: Page, place: Place, schedule: str, path: str, times: int
) -> None:
    opened(page, place, path.replace("{id}", schedule))
    main = page.get_by_role("main")
    main.get_by_role("heading", level=1).wait_for(timeout=PATIENCE_MS)

    for at in range(times):
        expect(main.get_by_text(SHOWN).nth(at)).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_load_state("networkidle" if path.endswith("/edit") else "load")
    assert page.locator("img").count() == 0
    assert page.evaluate(HIDDEN) == []


def test_the_form_keeps_it_letter_by_letter(page: Page, place: Place, schedule: str) -> None:
    opened(page, place, f"/{schedule}/edit")
    name = page.get_by_label("name", exact=True)
    expect(name).to_have_value(HOSTILE, timeout=PATIENCE_MS)
    expect(page.get_by_role("textbox", name="day str")).to_have_value(HOSTILE)
    page.get_by_label("late by at most").fill("77")

    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text(SHOWN, timeout=PATIENCE_MS)
    kept = page.evaluate(ASK, ["GET", f"/schedules/{schedule}", None])
    assert (kept["name"], kept["kwargs"], kept["grace_s"]) == (HOSTILE, {"day": HOSTILE}, 77)


@pytest.mark.parametrize("act", ["Delete", "Backfill", "Fire now"])
def test_before_an_act_it_is_named_as_it_is(
    page: Page, place: Place, schedule: str, act: str
) -> None:
    opened(page, place, f"/{schedule}")
    page.get_by_role("button", name=act, exact=True).click(timeout=PATIENCE_MS)

    expect(page.get_by_role("dialog")).to_contain_text(SHOWN, timeout=PATIENCE_MS)
    assert page.evaluate(HIDDEN) == []
