"""A fresh proof is asked for in the browser where the act is, and the act goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .places import PATIENCE_MS, made_by_rest, on_list, row_of, watched
from .secured import PASSWORD, House, secured_brain

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
IS_THERE = """async (id) => (await fetch(`/api/v1/projects/demo/schedules/${id}`)).status"""
OK, GONE = 200, 404


@pytest.fixture(scope="module")
def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with secured_brain(browser, tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def page(house: House) -> Iterator[Page]:
    with watched(house.context) as page:
        yield on_list(page, house.url)


def test_a_schedule_is_deleted_only_with_its_name_typed_and_a_fresh_proof(
    page: Page, house: House
) -> None:
    schedule = made_by_rest(page, "to be deleted")
    house.age_the_proof()
    page.goto(f"{house.url}/p/demo/schedules/{schedule}")
    page.get_by_role("button", name="Delete", exact=True).click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    act = dialog.get_by_role("button", name="Delete 1")
    expect(act).to_have_attribute("aria-disabled", "true")
    dialog.get_by_label("Type").fill("to be deleted")
    act.click()
    password = dialog.get_by_label("Your password again")
    password.fill("not the password", timeout=PATIENCE_MS)
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_role("alert")).to_contain_text("password is wrong", timeout=PATIENCE_MS)
    assert page.evaluate(IS_THERE, schedule) == OK

    password.fill(PASSWORD)
    dialog.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("link", name="New schedule").first).to_be_visible(timeout=PATIENCE_MS)
    expect(row_of(page, "to be deleted")).to_have_count(0)
    assert page.evaluate(IS_THERE, schedule) == GONE


def test_within_ten_minutes_nobody_is_asked_again(page: Page, house: House) -> None:
    schedule = made_by_rest(page, "deleted at once")
    page.goto(f"{house.url}/p/demo/schedules/{schedule}")
    page.get_by_role("button", name="Delete", exact=True).click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type").fill("deleted at once")

    dialog.get_by_role("button", name="Delete 1").click()

    expect(dialog).to_have_count(0, timeout=PATIENCE_MS)
    assert page.evaluate(IS_THERE, schedule) == GONE
