"""The public names are those of spec/api.txt: a name comes or goes only on purpose."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = (ROOT / "spec/api.txt").read_text(encoding="utf-8").split()
MODULES = sorted({name.rpartition(".")[0] for name in PUBLISHED})


def test_something_is_published():
    assert len(PUBLISHED) >= 30
    assert "z4j_core" in MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_offers_exactly_what_is_published(module):
    offered = {f"{module}.{name}" for name in importlib.import_module(module).__all__}

    assert offered == {name for name in PUBLISHED if name.rpartition(".")[0] == module}


@pytest.mark.parametrize("module", MODULES)
def test_every_published_name_exists(module):
    loaded = importlib.import_module(module)

    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []


@pytest.mark.parametrize("module", ["z4j", "z4j_core"])
def test_importing_stays_light(module):
    heavy = "{'asyncio', 'websockets', 'msgpack', 'ssl'}"
    program = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20
    )

    assert done.stdout.strip() == "[]"
