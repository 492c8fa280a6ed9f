"""A group whose lease is of another broker: who is refused, why and what to do, until it is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .places import PATIENCE_MS, PHONE_PX, Place, made_by_rest, on_list, opened, told_brain, watched

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
CODE, WORDS = "Z4J-E301", "the lease of this group is of another broker"


@pytest.fixture(scope="module")
def place(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with told_brain(browser, tmp_path_factory.mktemp("refused")) as place:
        yield place


@pytest.fixture(scope="module")
def schedule(place: Place) -> str:
    with watched(place.context) as page:
        return made_by_rest(on_list(page, place.url), "nightly")


@pytest.fixture
def page(place: Place) -> Iterator[Page]:
    place.agent.note(CODE, WORDS)
    with watched(place.context) as page:
        yield page


def test_the_page_of_leaders_names_the_process_the_reason_and_the_way_out(
    page: Page, place: Place, schedule: str
) -> None:
    opened(page, place, "/leaders")
    group = page.get_by_role("region", name="celery shop")

    said = group.get_by_role("note", name="refused")

    expect(said).to_contain_text("h1 · 7 is refused, told", timeout=PATIENCE_MS)
    expect(said).to_contain_text(f"{WORDS} ({CODE})")
    expect(said).to_contain_text("Z4J_APP")
    expect(group.get_by_role("row", name="h1 · 7")).to_contain_text("refused")
    expect(group).to_contain_text("0 may lead")


def test_it_goes_from_the_page_when_it_is_over(page: Page, place: Place, schedule: str) -> None:
    opened(page, place, "/leaders")
    said = page.get_by_role("note", name="refused")
    expect(said).to_be_visible(timeout=PATIENCE_MS)

    place.agent.note(CODE, "the lease of this group is of this broker", is_over=True)

    expect(said).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.get_by_role("row", name="h1 · 7")).to_contain_text("may lead")


def test_the_page_of_a_schedule_says_it_too(page: Page, place: Place, schedule: str) -> None:
    opened(page, place, f"/{schedule}")

    said = page.get_by_role("note", name="refused")

    expect(said).to_contain_text(f"{WORDS} ({CODE})", timeout=PATIENCE_MS)


def test_on_a_phone_nothing_of_it_is_cut_off(page: Page, place: Place, schedule: str) -> None:
    page.set_viewport_size({"width": PHONE_PX, "height": 844})
    opened(page, place, "/leaders")

    expect(page.get_by_role("note", name="refused")).to_be_visible(timeout=PATIENCE_MS)

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_PX
