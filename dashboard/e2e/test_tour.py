"""The operator's tour in a real browser against a real brain and real workers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Request, expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PATIENCE_MS = 60_000
PHONE_PX = 390
HOSTILE = "<img src=x onerror=alert(1)>\u202e\u200b{{7*7}}"
ENQUEUE = """async ([project, params]) => {
  const headers = {"Content-Type": "application/json", "X-Z4J": "1"};
  headers["Idempotency-Key"] = crypto.randomUUID();
  const ask = async (path, body) => {
    const url = `/api/v1/projects/${project}${path}`;
    const answer = await fetch(url, {method: "POST", body: JSON.stringify(body), headers});
    if (!answer.ok) throw Error(await answer.text());
    return answer.json();
  };
  const preview = await ask("/bulk/preview", {action: "enqueue", params});
  await ask("/bulk", {preview_id: preview.preview_id, reason: "end to end", hold_s: 0});
}"""


def open_tasks(page: Page, base: str, q: str = "") -> None:
    page.goto(f"{base}/p/demo/tasks?q={q}")
    page.get_by_role("row").nth(1).wait_for(timeout=PATIENCE_MS)


def open_retry(page: Page) -> None:
    page.get_by_role("toolbar", name="actions").get_by_role(
        "button", name="Retry", exact=True
    ).click()
    page.get_by_role("dialog").get_by_role("button", name="Retry 1").click()


def test_a_new_task_appears_without_asking_for_the_list_again(page: Page, base: str) -> None:
    open_tasks(page, base)
    asked: list[str] = []

    def note(request: Request) -> None:
        if re.search(r"/tasks\?", request.url):
            asked.append(request.url)

    page.on("request", note)
    first = page.locator("[data-row='0'] a").get_attribute("href")
    page.wait_for_function(
        "(href) => document.querySelector(\"[data-row='0'] a\")?.getAttribute('href') !== href",
        arg=first,
        timeout=PATIENCE_MS,
    )

    assert asked == []


def test_a_retry_can_be_undone_and_done_again(page: Page, base: str) -> None:
    open_tasks(page, base, "state:failed")
    page.get_by_role("row").nth(1).click()
    task = page.get_by_test_id("task")
    expect(task.get_by_role("heading", name="error")).to_be_visible()

    open_retry(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_test_id("toast").first).to_contain_text("Undone")

    open_retry(page)
    page.get_by_role("button", name="Do it now").click()
    expect(page.get_by_test_id("toast").first).to_contain_text("1 retried", timeout=PATIENCE_MS)

    page.reload()
    expect(task.get_by_text("retried as")).to_be_visible(timeout=PATIENCE_MS)


def test_all_matching_tasks_are_counted_before_they_are_retried(page: Page, base: str) -> None:
    open_tasks(page, base, "state:failed+task:shop.charge")

    page.keyboard.press("Control+a")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name=re.compile(r"^Retry \d+$"))
    button.wait_for()
    button.click()
    page.get_by_role("button", name="Do it now").click()

    outcome = re.compile(r"^[1-9][\d,]* retried")
    expect(page.get_by_test_id("toast").first).to_contain_text(outcome, timeout=PATIENCE_MS)


def test_a_query_with_an_unknown_key_names_the_column(page: Page, base: str) -> None:
    open_tasks(page, base)

    bar = page.get_by_role("combobox", name="Search tasks")
    bar.fill("queu:mail")
    page.keyboard.press("Escape")

    expect(page.get_by_role("alert")).to_contain_text("column 1")
    expect(page.get_by_role("alert")).to_contain_text("queue")


def test_text_from_a_task_stays_text(page: Page, base: str) -> None:
    open_tasks(page, base)
    args = f'["{HOSTILE}", "{HOSTILE}"]'
    params = {"engine": "celery", "task": "shop.send_mail", "args": args, "kwargs": "{}"}
    page.evaluate(ENQUEUE, ["demo", params])

    open_tasks(page, base, 'task:shop.send_mail+"onerror"')
    row = page.get_by_role("row").nth(1)
    expect(row).to_contain_text("<img src=x onerror=alert(1)>\\u202e\\u200b{{7*7}}")
    row.click()

    task = page.get_by_test_id("task")
    expect(task).to_contain_text("<img src=x onerror=alert(1)>\\u202e\\u200b{{7*7}}")
    assert page.locator("main img").count() == 0


def test_paused_means_no_request_at_all(page: Page, base: str) -> None:
    open_tasks(page, base)
    page.keyboard.press(".")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    expect(page.get_by_role("button", name=re.compile(r"^paused · \d+ changes"))).to_be_visible(
        timeout=PATIENCE_MS
    )

    assert [url for url in asked if "/api/" in url] == []


@pytest.mark.parametrize("place", ["", "/queues", "/workers", "/catalog", "/actions", "/settings"])
def test_every_place_opens_without_an_error(page: Page, base: str, place: str) -> None:
    page.goto(f"{base}/p/demo{place}")

    expect(page.get_by_role("table").first).to_be_visible(timeout=PATIENCE_MS)


def test_nothing_scrolls_sideways_on_a_phone(page: Page, base: str) -> None:
    page.set_viewport_size({"width": PHONE_PX, "height": 844})
    open_tasks(page, base)

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_PX
