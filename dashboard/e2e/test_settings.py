"""Keys and tokens on the settings page, against a real brain with agents connected."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
PATIENCE_MS = 60_000
OK = 200


def open_settings(page: Page, base: str) -> None:
    page.goto(f"{base}/p/demo/settings")
    expect(page.get_by_text("your API tokens")).to_be_visible(timeout=PATIENCE_MS)


def test_a_key_gets_a_second_number_and_one_in_use_is_not_retired_unasked(
    page: Page, base: str
) -> None:
    open_settings(page, base)
    page.get_by_role("button", name="Rotate…").first.click(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Make it").click()

    expect(page.get_by_test_id("dsn")).to_contain_text("z4s_", timeout=PATIENCE_MS)
    expect(page.locator("[data-kid='2']")).to_have_count(1, timeout=PATIENCE_MS)
    page.locator("[data-kid='1']").first.get_by_role("button", name="Retire…").click()
    expect(page.get_by_text("connected by it and will be refused")).to_be_visible()
    expect(page.get_by_role("button", name="Retire all the same")).to_be_visible()
    page.get_by_role("button", name="Keep").click()

    page.reload()
    expect(page.locator("[data-kid='2']")).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.get_by_test_id("dsn")).to_have_count(0)
    second = page.locator("[data-kid='2']")
    second.get_by_role("button", name="Retire…").click()
    page.get_by_role("button", name="Retire", exact=True).click()
    expect(second).to_contain_text("retired", timeout=PATIENCE_MS)


def test_a_token_is_seen_once_and_ends_when_it_is_revoked(page: Page, base: str) -> None:
    open_settings(page, base)
    page.get_by_label("token label").fill("a script")
    page.get_by_role("button", name="Make token").click()
    token = page.get_by_test_id("token").inner_text(timeout=PATIENCE_MS)
    headers = {"Authorization": f"Bearer {token}"}

    def asked() -> int:
        script = (
            "async (headers) => (await fetch('/api/v1/projects/demo/queues', {headers})).status"
        )
        return int(page.evaluate(script, headers))

    assert asked() == OK
    page.reload()
    row = page.locator("[data-token]").filter(has_text="a script")
    expect(row).to_have_count(1, timeout=PATIENCE_MS)
    expect(page.get_by_test_id("token")).to_have_count(0)
    row.get_by_role("button", name="Revoke…").click()
    row.get_by_role("button", name="Revoke now").click()
    expect(row).to_have_count(0, timeout=PATIENCE_MS)
