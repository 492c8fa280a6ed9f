"""Each import contract is alive: one forbidden line breaks the contract that names it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]


class Mutant(NamedTuple):
    """One line appended to one module, and the contract it must break."""

    contract: str
    module: str
    line: str


MUTANTS = [
    Mutant("core-layers", "z4j_core/errors.py", "from . import model"),
    Mutant("core-layers", "z4j_core/unplaced.py", "X = 1"),
    Mutant("core-knows-nobody", "z4j_core/clock.py", "import redis"),
    Mutant("core-knows-nobody", "z4j_core/clock.py", "import z4j_brain"),
    Mutant("pure-parts", "z4j_core/model/tasks.py", "import time"),
    Mutant("strangers", "z4j_celery/__init__.py", "import z4j_brain"),
    Mutant("strangers", "z4j_django/apps.py", "import z4j_celery"),
    Mutant("strangers", "z4j_rq/engine.py", "import z4j_celery"),
    Mutant("framework-knows-no-engine", "z4j_django/lifecycle.py", "import celery"),
    Mutant("framework-knows-no-engine", "z4j_fastapi/lifespan.py", "import taskiq"),
    Mutant("strangers", "z4j_flask/extension.py", "import z4j_django"),
    Mutant("strangers", "z4j_scheduler/service.py", "import z4j_rq"),
    Mutant("agpl-alone", "z4j_scheduler/store.py", "import z4j_brain"),
    Mutant("pure-parts", "z4j_core/wire/session.py", "import asyncio"),
    Mutant("pure-parts", "z4j_core/scheduler/cron.py", "import time"),
    Mutant("pure-parts", "z4j_core/scheduler/policy.py", "import random"),
    Mutant("pure-parts", "z4j_core/scheduler/zone.py", "import os"),
    Mutant("core-public", "z4j_celery/engine.py", "from z4j_core.agent import sender"),
    Mutant("core-public", "z4j_rq/engine.py", "from z4j_core.agent import sender"),
    Mutant("umbrella", "z4j/__init__.py", "import z4j_celery"),
    Mutant("umbrella", "z4j/__init__.py", "import z4j_rq"),
    Mutant("umbrella", "z4j/__init__.py", "import z4j_django"),
    Mutant("agpl-alone", "z4j_testing/__init__.py", "import z4j_brain"),
    Mutant("tests-stay-home", "z4j_brain/__init__.py", "import z4j_testing"),
    Mutant("brain-safe", "z4j_brain/__init__.py", "import pickle"),
    Mutant("brain-safe", "z4j_brain/__init__.py", "from z4j_core import Job"),
    Mutant("brain-safe", "z4j_brain/settings.py", "import z4j_core.spool"),
    Mutant("brain-layers", "z4j_brain/unplaced.py", "X = 1"),
    Mutant("brain-layers", "z4j_brain/db/engine.py", "from ..tasks import model"),
    Mutant("feature-layers", "z4j_brain/agents/model.py", "from . import store"),
    *(
        Mutant(c["id"], "z4j_brain/settings.py", f"import {c['protected_modules'][0]}")
        for c in CONFIG["contracts"]
        if c["id"].endswith("-store")
    ),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of all sources that imports resolve to, with the contracts beside it."""
    copy = tmp_path_factory.mktemp("contracts")
    for package in CONFIG["root_packages"]:
        (source,) = ROOT.glob(f"packages/*/src/{package}")
        shutil.copytree(
            source, copy / package, ignore=shutil.ignore_patterns("static", "__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def lint(tree):
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    return done.returncode, done.stdout + done.stderr


def test_all_contracts_are_kept(tree):
    code, said = lint(tree)

    assert code == 0, said
    assert f"Contracts: {len(CONFIG['contracts'])} kept, 0 broken." in said


@pytest.fixture(scope="module")
def broken(tree):
    """What is said of each contract once every mutant has its line; one run tells of all."""
    lines, untouched = {}, {}
    for mutant in MUTANTS:
        module = tree / mutant.module
        before = module.read_text(encoding="utf-8") if module.exists() else ""
        untouched.setdefault(module, before)
        module.write_text(f"{before}\n{mutant.line}\n", encoding="utf-8")
        lines[mutant] = before.count("\n") + 2
    code, said = lint(tree)
    for module, before in untouched.items():
        module.write_text(before, encoding="utf-8") if before else module.unlink()

    assert code == 1, said
    _, _, report = said.partition("Broken contracts")
    return lines, dict(re.findall(r"(?m)^(.+)\n-+\n((?:.|\n)*?)(?=\n.+\n-+\n|\Z)", report))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.contract}: {m.module}: {m.line}")
def test_a_forbidden_import_breaks_its_contract(broken, mutant):
    (name,) = [c["name"] for c in CONFIG["contracts"] if c["id"] == mutant.contract]
    lines, told = broken
    module = mutant.module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    of_line = rf"{re.escape(module)} -> \S+ \(.*\bl\.{lines[mutant]}\b"
    of_module = rf"\b{module.rpartition('.')[2]}\b"
    assert name in told
    assert re.search(of_module if "import" not in mutant.line else of_line, told[name]), told[name]


def test_every_contract_has_a_mutant():
    assert {c["id"] for c in CONFIG["contracts"]} == {m.contract for m in MUTANTS}


def test_every_store_of_the_brain_is_private():
    brain = ROOT / "packages/z4j-brain/src/z4j_brain"
    stores = {f"z4j_brain.{store.parent.name}.store" for store in brain.glob("*/store.py")}
    private = {c["protected_modules"][0] for c in CONFIG["contracts"] if c["type"] == "protected"}

    assert stores <= private


def test_every_module_of_triggers_is_pure_but_the_one_that_reads_an_edition():
    (pure,) = [c["source_modules"] for c in CONFIG["contracts"] if c["id"] == "pure-parts"]
    modules = (ROOT / "packages/z4j-core/src/z4j_core/scheduler").glob("*.py")
    names = {f"z4j_core.scheduler.{path.stem}" for path in modules} - {
        "z4j_core.scheduler.__init__",
        "z4j_core.scheduler.tzdata",
    }

    assert names == {name for name in pure if name.startswith("z4j_core.scheduler.")}


def test_every_package_is_under_contract():
    packages = {path.parent.name for path in ROOT.glob("packages/*/src/*/__init__.py")}

    assert packages == set(CONFIG["root_packages"])
