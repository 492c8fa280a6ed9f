"""A stranger's engine, installed beside z4j: found, conformant, controlled from the dashboard."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Browser, expect
from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.stack import Brain, start_brain
from z4j_testing.services import redis_url

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/new-engine"
PATIENCE_MS = 20_000
MOST_LINES = 40


def code_lines(file: Path) -> int:
    """Lines with code on them."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return len([line for line in lines if line and not line.startswith(("#", '"""'))])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the engine and its adapter were installed."""
    target = tmp_path_factory.mktemp("stranger")
    uv = shutil.which("uv") or str(ROOT / ".tools/bin/uv")
    command = [uv, "pip", "install", "-q", "--no-deps", "--target", str(target), str(EXAMPLE)]
    subprocess.run([*command, "--python", sys.executable], check=True, timeout=120)
    return target


def test_its_adapter_has_at_most_forty_lines() -> None:
    assert code_lines(EXAMPLE / "src/z4j_toyq.py") <= MOST_LINES


def test_it_passes_the_suite_of_all_adapters(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests")],
        env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


@pytest.fixture
def store() -> Iterator[redis.Redis]:
    """The shop's Redis."""
    made = redis.Redis.from_url(redis_url(14))
    made.flushdb()
    yield made
    made.flushdb()
    made.close()


@pytest.fixture
def brain(installed: Path, store: redis.Redis, tmp_path: Path) -> Iterator[Brain]:
    """A brain, the shop's worker and an order that is over the limit."""
    family = Family(tmp_path)
    made = start_brain(family, tmp_path, free_port())
    env = {
        "Z4J_DSN": made.dsn, "Z4J_SPOOL_DIR": str(tmp_path / "spool"),
        "SHOP_REDIS": redis_url(14), "PYTHONPATH": f"{installed}{os.pathsep}{EXAMPLE}",
    }  # fmt: skip
    run = [sys.executable, "-m", "z4j", "run", "--", sys.executable, "-c"]
    family.start("worker", [*run, "import shop; shop.toy.work()"], env)
    family.start("sender", [*run, "import shop; shop.toy.send('shop.charge', 4711, 250)"], env)
    yield made
    family.end()


def test_it_is_found_shown_and_retried_from_the_dashboard(
    brain: Brain, store: redis.Redis, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(brain.link)
    page.get_by_role("navigation", name="places").wait_for()
    task = page.get_by_test_id("task")
    actions = page.get_by_role("toolbar", name="actions")

    page.goto(f"{brain.url}/p/demo/tasks?q=state:failed+engine:toyq")
    page.get_by_role("row").nth(1).click(timeout=PATIENCE_MS)
    expect(task).to_contain_text("order 4711: 250 is over the limit", timeout=PATIENCE_MS)
    store.set("shop:limit", 1000)
    actions.get_by_role("button", name="Retry", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Retry 1").click()
    page.get_by_role("button", name="Do it now").click()

    page.goto(f"{brain.url}/p/demo/tasks?q=state:succeeded+engine:toyq")
    page.get_by_role("row").nth(1).click(timeout=PATIENCE_MS)
    expect(task).to_contain_text("charged", timeout=PATIENCE_MS)
    expect(task.get_by_text("retry of")).to_be_visible()
    expect(actions.get_by_role("button", name="Cancel")).to_have_attribute("aria-disabled", "true")
    page.close()
