"""A project without agents: its page turns green by itself, and says who was refused and why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import redis
from playwright.sync_api import Browser, Page, expect
from z4j_core.wire import Secret, encode_secret, parse_dsn
from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.stack import PROJECT, Brain, start_brain
from z4j_testing.services import redis_url

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
PATIENCE_MS = 20_000
STEPS = ["key_used", "agent_connected", "definitions", "first_event", "command_ok"]
SHOP = """
    import os
    from celery import Celery
    app = Celery("shop", broker=os.environ["SHOP_REDIS"])
    app.conf.worker_redirect_stdouts = False

    @app.task(name="shop.charge")
    def charge(order_id):
        return order_id
"""


class Fresh(NamedTuple):
    """A brain nobody has reported to, and where its programs run."""

    brain: Brain
    family: Family
    home: Path
    broker: str

    def env(self, dsn: str) -> dict[str, str]:
        spool = str(self.home / "spool")
        return {"Z4J_DSN": dsn, "Z4J_SPOOL_DIR": spool, "SHOP_REDIS": self.broker,
                "PYTHONPATH": str(self.home)}  # fmt: skip

    def doctor(self, dsn: str) -> None:
        command = [sys.executable, "-m", "z4j", "doctor"]
        subprocess.run(
            command, env={**os.environ, **self.env(dsn)}, cwd=self.home, timeout=20, check=False,
            capture_output=True,
        )  # fmt: skip

    def enqueue(self) -> None:
        code = "import shop; shop.charge.delay(1)"
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **self.env("")}, cwd=self.home,
            timeout=20, check=True,
        )  # fmt: skip


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    """Start a brain in an empty directory."""
    broker = redis_url(13)
    redis.Redis.from_url(broker).flushdb()
    (tmp_path / "shop.py").write_text(textwrap.dedent(SHOP), encoding="utf-8")
    family = Family(tmp_path)
    try:
        yield Fresh(start_brain(family, tmp_path, free_port()), family, tmp_path, broker)
    finally:
        family.end()
        redis.Redis.from_url(broker).flushdb()


@pytest.fixture
def entered(browser: Browser, fresh: Fresh) -> Iterator[Page]:
    """The page behind the link; an error on the console fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(fresh.brain.link)
    yield page
    context.close()
    assert faults == []


def picture(page: Page, name: str) -> None:
    """Keep what a person would see, where somebody asked for it."""
    folder = os.environ.get("Z4J_PICTURES")
    if folder:
        for theme in ("light", "dark"):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
            page.screenshot(path=f"{folder}/{name}-{theme}.png")


def test_grey_then_each_hint_then_green_without_a_reload(entered: Page, fresh: Fresh) -> None:
    page = entered
    done = page.locator("[data-step][data-done]")
    expect(page.get_by_role("heading", name="Connect the first worker")).to_be_visible()
    expect(done).to_have_count(0)
    page.get_by_role("button", name="Create a key and fill in the DSN").click()
    expect(page.get_by_test_id("block")).to_contain_text("z4s_")
    dsn = page.get_by_test_id("block").inner_text().split("Z4J_DSN='")[1].split("'")[0]

    parsed = parse_dsn(dsn)
    secret = encode_secret(parsed.key_id, parsed.credential.secret)
    fresh.doctor(dsn.replace(secret, encode_secret(parsed.key_id, Secret(os.urandom(32)))))
    fresh.doctor(dsn.replace(f"/{PROJECT}", "/elsewhere"))
    refused = page.get_by_test_id("refused")
    expect(refused).to_contain_text("wrong secret for key z4k_", timeout=PATIENCE_MS)
    expect(refused).to_contain_text("this key belongs to project 'demo', not 'elsewhere'")
    expect(done).to_have_count(0)
    picture(page, "refused")

    worker = [sys.executable, "-m", "celery", "-A", "shop", "worker", "-P", "solo"]
    fresh.family.start("worker", worker, fresh.env(dsn), signal.SIGQUIT)
    for step in ("key_used", "agent_connected", "definitions", "command_ok"):
        expect(page.locator(f"[data-step={step}][data-done]")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("[data-step=first_event]")).to_contain_text("enqueue a task")
    picture(page, "connected")

    fresh.enqueue()
    expect(done).to_have_count(len(STEPS), timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", name="Connected")).to_be_visible()
    picture(page, "done")

    page.get_by_role("button", name="Show the project").click()
    expect(page.get_by_role("heading", name="throughput")).to_be_visible()
