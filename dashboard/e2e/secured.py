"""A brain as people run it: its owner has a password. The rule: nothing is set aside for tests."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext
from z4j_testing.demo.processes import Family, free_port, wait_until
from z4j_testing.demo.stack import START_S

OWNER, PASSWORD = "ada@shop.example", "a long enough password"
PROJECT = "demo"
LINK = re.compile(r"http://\S+/setup#\S+")
DATABASE = "z4j.db"


class House(NamedTuple):
    """Where the brain answers, its files, what runs beside it, and a browser that is signed in."""

    url: str
    home: Path
    family: Family
    context: BrowserContext

    def age_the_proof(self) -> None:
        """Let all have proved who they are eleven minutes earlier than they did."""
        with closing(sqlite3.connect(self.home / DATABASE, timeout=10)) as database, database:
            database.execute("UPDATE sessions SET proved = proved - 660000000")


@contextmanager
def secured_brain(browser: Browser, home: Path) -> Iterator[House]:
    """A brain that was set up in the browser: owner, password, first project."""
    family = Family(home)
    port = free_port()
    command = [sys.executable, "-m", "z4j", "serve", "--port", str(port), "--data-dir", str(home)]
    try:
        brain = family.start("brain", command, {})
        wait_until(
            "the brain serves", lambda: LINK.search(brain.tail(50)) is not None, START_S, family
        )
        found = LINK.search(brain.tail(50))
        assert found is not None
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(found[0])
        page.get_by_label("E-mail").fill(OWNER)
        page.get_by_label("Name").fill("Ada")
        page.get_by_label(re.compile("^Password")).fill(PASSWORD)
        page.get_by_label("Project").fill(PROJECT)
        page.get_by_role("button", name="Create").click()
        page.get_by_role("navigation", name="places").wait_for()
        page.close()
        yield House(f"http://127.0.0.1:{port}", home, family, context)
        context.close()
    finally:
        family.end()
