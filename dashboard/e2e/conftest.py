"""A real brain with a real shop behind it, and a browser.

The rule: any error on the console fails the test.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

START_S = 60
STOP_S = 20
TASKS_PER_S = 20
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]


class Shop(NamedTuple):
    """Where the brain answers, and the one-time link it printed."""

    base: str
    link: str


def _absent(what: str) -> None:
    if os.environ.get("Z4J_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what} is required here")
    pytest.skip(f"{what} is missing: the dashboard is NOT tested end to end")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser."""
    found = os.environ.get("Z4J_CHROMIUM") or shutil.which("chromium")
    if found is None or not Path(found).exists():
        _absent("chromium")
    return cast("str", found)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return cast("int", probe.getsockname()[1])


def _link_of(process: subprocess.Popen[str]) -> str:
    timer = threading.Timer(START_S, process.kill)
    timer.start()
    try:
        for line in cast("Iterator[str]", process.stdout):
            if found := re.search(r"http://\S+/p/\w+#\S+", line):
                return found[0]
    finally:
        timer.cancel()
    pytest.fail("the demo ended without a link")


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """The demo: brain, agent and Celery workers with failures and retries."""
    z4j = Path(sys.executable).with_name("z4j")
    command = [str(z4j), "demo", "--port", str(_free_port()), "--rate", str(TASKS_PER_S)]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            link = _link_of(process)
            yield Shop(link.split("/p/", maxsplit=1)[0], link)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def cookies(browser: Browser, shop: Shop) -> Iterator[BrowserContext]:
    """A context that has used the link."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(shop.link)
    page.get_by_role("navigation", name="places").wait_for()
    assert "#" not in page.url
    page.close()
    yield context
    context.close()


@pytest.fixture(scope="session")
def base(shop: Shop) -> str:
    """Address of the brain."""
    return shop.base


@pytest.fixture
def page(cookies: BrowserContext) -> Iterator[Page]:
    """A logged-in page; a console error or a broken content policy fails the test."""
    page = cookies.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("dialog", lambda dialog: faults.append(f"a dialog opened: {dialog.message}"))
    yield page
    page.close()
    assert faults == []
