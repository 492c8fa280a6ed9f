"""`manage.py check`: every wrong setting with id, cause and fix; none is an error."""

from __future__ import annotations

import importlib
import sys

import pytest
from django.core.checks import WARNING, run_checks
from django.test import override_settings
from z4j_core.config import as_environment
from z4j_django.lifecycle import is_reloader_parent
from z4j_testing.brain import FakeBrain

DSN = FakeBrain(port=9).dsn
SECRET = DSN.rpartition("@")[0].rpartition(":")[2]


@pytest.mark.parametrize(
    ("given", "number", "cause"),
    [
        ({"RELAESE": "1"}, "010", "did you mean RELEASE?"),
        ({"DSN": "https://nonsense"}, "101", "Z4J-E101"),
        ({"ALLOW": "everything"}, "013", "observe holds"),
        ({"SPOOL_MAX_BYTES": "many"}, "014", "spool_max_bytes"),
        ({"SCHEDULES": {"a": {"task": "t", "crom": 1}}}, "130", "/schedules/a/crom: no such field"),
        ({"SCHEDULES": "schedules.toml"}, "014", "expected a mapping"),
        (["DSN"], "014", "Z4J is a list, expected a dict"),
    ],
)
def test_a_wrong_setting_is_a_warning_with_cause_and_fix(given, number, cause):
    with override_settings(Z4J=given):
        (found,) = run_checks(tags=["z4j"])

    assert (found.id, found.level) == (f"z4j.W{number}", WARNING)
    assert cause in found.msg
    assert f"manage.py z4j explain E{number}" in found.hint


def test_right_settings_say_nothing():
    with override_settings(Z4J={"RELEASE": "1", "TAGS": {"a": "b"}, "SCHEDULES": {}}):
        assert run_checks(tags=["z4j"]) == []


@pytest.fixture
def settings_file(tmp_path, monkeypatch):
    """Write a settings module and its neighbour `base`, and load both."""

    def written(text="", base=""):
        for name, source in (("shop_settings", text), ("shop_base", base)):
            (tmp_path / f"{name}.py").write_text(source)
            monkeypatch.delitem(sys.modules, name, raising=False)
            importlib.invalidate_caches()
            importlib.import_module(name)
        return override_settings(Z4J={"DSN": DSN}, SETTINGS_MODULE="shop_settings")

    monkeypatch.syspath_prepend(str(tmp_path))
    yield written
    for name in ("shop_settings", "shop_base"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("where", ["text", "base"])
def test_a_secret_written_in_the_settings_is_a_warning_that_names_the_file(settings_file, where):
    with settings_file(**{where: f"Z4J = {{'DSN': {DSN!r}}}"}):
        (found,) = run_checks(tags=["z4j"])

    assert (found.id, found.level) == ("z4j.W016", WARNING)
    assert {"text": "shop_settings.py", "base": "shop_base.py"}[where] in found.msg
    assert "Z4J_DSN" in found.hint
    assert SECRET not in found.msg + found.hint


def test_a_secret_read_from_elsewhere_is_no_warning(settings_file):
    with settings_file(text="import os\nZ4J = {'DSN': os.environ.get('SHOP_DSN')}"):
        assert run_checks(tags=["z4j"]) == []


def test_a_secret_of_settings_without_a_file_is_no_warning():
    with override_settings(Z4J={"DSN": DSN}, SETTINGS_MODULE=None):
        assert run_checks(tags=["z4j"]) == []


def test_settings_become_the_environment_of_a_command():
    given = {"RELEASE": "1", "ENABLED": True, "TAGS": {"a": "b"}, "REDACT": ["x", "y"], "NOT": 1}

    assert as_environment(given) == {
        "Z4J_RELEASE": "1", "Z4J_ENABLED": "1", "Z4J_TAGS": "a=b", "Z4J_REDACT": "x,y",
    }  # fmt: skip


def test_only_the_watching_half_of_runserver_stays_out():
    assert is_reloader_parent(["manage.py", "runserver"], {})
    assert not is_reloader_parent(["manage.py", "runserver"], {"RUN_MAIN": "true"})
    assert not is_reloader_parent(["manage.py", "runserver", "--noreload"], {})
    assert not is_reloader_parent(["manage.py", "migrate"], {})
