"""`manage.py check`: every wrong setting with id, cause and fix; none is an error."""

from __future__ import annotations

import pytest
from django.core.checks import WARNING, run_checks
from django.test import override_settings
from z4j_django.declared import as_environment
from z4j_django.lifecycle import is_reloader_parent


@pytest.mark.parametrize(
    ("given", "number", "cause"),
    [
        ({"RELAESE": "1"}, "010", "did you mean RELEASE?"),
        ({"DSN": "https://nonsense"}, "101", "Z4J-E101"),
        ({"ALLOW": "everything"}, "013", "observe holds"),
        ({"SPOOL_MAX_BYTES": "many"}, "014", "spool_max_bytes"),
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
