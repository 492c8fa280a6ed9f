"""The documentation names only what exists."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from z4j_core.config import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")])
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}


def named(pattern):
    return {found for text in TEXT.values() for found in re.findall(pattern, text)}


def test_the_pages_are_found():
    assert len(PAGES) >= 12


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", TEXT[page])

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_make_target_exists():
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))

    assert named(r"(?m)(?:\$ |`)make ([a-z-]+)") <= targets


def test_every_command_exists():
    commands = {entry.name for entry in metadata.entry_points(group="z4j.commands")}

    assert named(r"(?m)(?:^\$ |`)z4j ([a-z][a-z-]+)") <= commands


def test_every_setting_exists():
    agent = {f"Z4J_{field.name.upper()}" for field in dataclasses.fields(Settings)} - {
        "Z4J_DSN_FROM"
    }
    files = [ROOT / "packages/z4j-brain/src/z4j_brain/settings.py",
             ROOT / "packages/z4j-core/src/z4j_core/cli/remote.py"]  # fmt: skip
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    brain = set(re.findall(r'"(Z4J_[A-Z_]+)"', source))
    adapters = ROOT.glob("packages/z4j-*/src/*/names.py")
    names = "".join(path.read_text(encoding="utf-8") for path in adapters)
    agent |= set(re.findall(r'"(Z4J_[A-Z_]+)"', names))
    tests = {"Z4J_REQUIRE_SERVICES", "Z4J_TEST_REDIS", "Z4J_TEST_PG", "Z4J_TEST_AMQP"}
    tests |= {"Z4J_WRITE_CAPABILITIES", "Z4J_TEST_PATIENCE"}
    page = TEXT[ROOT / "docs/reference/settings.md"]

    assert named(r"Z4J_[A-Z_]*[A-Z]") <= agent | brain | tests
    assert {name for name in agent | brain if f"`{name}`" not in page} == set()


def test_the_first_page_offers_only_extras_that_can_be_installed():
    page = (ROOT / "dashboard/src/routes/ways.ts").read_text(encoding="utf-8")
    umbrella = tomllib.loads((ROOT / "packages/z4j/pyproject.toml").read_text(encoding="utf-8"))
    offered = set(re.findall(r'extra: "(\w+)"', page))

    extras = set(umbrella["project"]["optional-dependencies"])
    assert offered == extras - {"brain", "scheduler", "demo"}
