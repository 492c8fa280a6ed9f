"""Adapters are found by entry point, loaded only when their engine is, and never break the app."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
from z4j_core.config import Settings
from z4j_core.errors import AdapterBroken
from z4j_core.registry import GROUP, Registry, load_detect, verified


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Write modules that can be imported in this test only."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        names.append(name)
        return name

    yield write
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def registry():
    """A registry of one adapter; (registry, engines found, what was broken)."""
    made = []

    def make(name, value):
        found, broken = [], []
        point = EntryPoint(name, value, GROUP)
        made.append(
            Registry(
                Settings(), lambda _, engine: found.append(engine), broken.append, {name: point}
            )
        )
        return made[-1], found, broken

    yield make
    for one in made:
        one.stop()


ADAPTER = """
from toy import ToyEngine
def detect(settings, found):
    found(ToyEngine())
"""


def test_an_adapter_is_loaded_only_after_its_engine_was_imported(modules, registry):
    modules("lazyq", "READY = True")
    modules("z4j_lazyq", ADAPTER)
    finder, found, broken = registry("lazyq", "z4j_lazyq:detect")

    finder.start()
    assert "z4j_lazyq" not in sys.modules
    importlib.import_module("lazyq")

    assert [engine.name for engine in found] == ["toy"]
    assert broken == []


def test_the_imported_module_keeps_its_own_loader(modules, registry):
    modules("plainq", "VALUE = 7")
    modules("z4j_plainq", ADAPTER)
    finder, _, _ = registry("plainq", "z4j_plainq:detect")
    finder.start()

    module = importlib.import_module("plainq")

    assert module.VALUE == 7
    assert type(module.__loader__).__name__ == "SourceFileLoader"
    assert module.__spec__.loader is module.__loader__
    assert finder._watch not in sys.meta_path


def test_an_engine_that_is_there_already_is_detected_at_once(modules, registry):
    importlib.import_module(modules("earlyq", ""))
    modules("z4j_earlyq", ADAPTER)
    finder, found, _ = registry("earlyq", "z4j_earlyq:detect")

    finder.start()

    assert len(found) == 1


def test_an_adapter_that_imports_its_engine_may_be_loaded_while_the_engine_is_watched(
    modules, registry
):
    modules("shyq", "READY = True")
    modules("z4j_shyq", "import shyq\n" + ADAPTER)
    finder, found, broken = registry("shyq", "z4j_shyq:detect")
    finder.start()

    load_detect(EntryPoint("shyq", "z4j_shyq:detect", GROUP))

    assert broken == []
    assert [engine.name for engine in found] == ["toy"]


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("import nothing_of_this_name", "z4j_badq:detect", "does not load"),
        ("detect = 3", "z4j_badq:detect", "is not callable"),
        ("def detect(settings, found): 1 / 0", "z4j_badq:detect", "ZeroDivisionError"),
        ("def detect(settings, found): found(object())", "z4j_badq:detect", "name, app, delivery"),
    ],
)
def test_a_broken_adapter_is_named_and_hurts_nobody(modules, registry, text, value, said):
    importlib.import_module(modules("badq", ""))
    modules("z4j_badq", text)
    finder, found, broken = registry("badq", value)

    finder.start()

    assert found == []
    assert said in str(broken[0])


def test_checking_an_engine_evaluates_none_of_its_properties():
    class Engine:
        name = delivery = unavailable = attach = detach = discover = enqueue = None

        @property
        def app(self):
            raise AssertionError("evaluated")

    assert verified("x", Engine())
    with pytest.raises(AdapterBroken, match="attach"):
        verified("x", object())


def test_an_import_that_fails_stays_a_failing_import(modules, registry):
    modules("failq", "raise RuntimeError('its own')")
    finder, found, broken = registry("failq", "z4j_failq:detect")
    finder.start()

    with pytest.raises(RuntimeError, match="its own"):
        importlib.import_module("failq")

    assert found == broken == []


def test_an_inert_start_loads_no_network_and_no_engine():
    program = (
        "import sys, os; os.chdir('/'); from z4j_core.agent import autostart; autostart();"
        "print(sorted({'websockets', 'asyncio', 'ssl', 'celery'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={}
    )

    assert done.stdout.strip() == "[]"
