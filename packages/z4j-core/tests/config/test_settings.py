"""Settings come from argument, environment, framework and the file of a development brain."""

from __future__ import annotations

import json

import pytest
from z4j_core.config import load, read_dsn
from z4j_core.errors import ConfigError
from z4j_core.wire.dsn import Dsn
from z4j_core.wire.keys import Credential, Secret


def dsn_of(project, host="127.0.0.1", scheme="http"):
    credential = Credential(bytes(16), 1, Secret(bytes(32)))
    return Dsn(scheme, host, 7700, "", project, credential).reveal()


ARG, ENV, FRAME, FILE, DEV = (dsn_of(name) for name in ("arg", "env", "frame", "file", "dev"))


@pytest.fixture
def dsn_file(tmp_path):
    path = tmp_path / "dsn"
    path.write_text(FILE + "\n")
    return str(path)


def project(**sources):
    """Project of the DSN that was chosen."""
    return load(**{"environ": {}} | sources).settings.dsn.project


def test_an_argument_comes_before_environment_and_framework():
    assert (
        project(arguments={"dsn": ARG}, environ={"Z4J_DSN": ENV}, framework={"DSN": FRAME}) == "arg"
    )


def test_the_environment_comes_before_the_framework():
    assert project(environ={"Z4J_DSN": ENV}, framework={"DSN": FRAME}) == "env"


def test_a_dsn_file_comes_before_the_framework_and_after_a_dsn(dsn_file):
    assert project(environ={"Z4J_DSN_FILE": dsn_file}, framework={"DSN": FRAME}) == "file"
    assert project(environ={"Z4J_DSN_FILE": dsn_file, "Z4J_DSN": ENV}) == "env"
    assert project(arguments={"dsn": ARG}, environ={"Z4J_DSN_FILE": dsn_file}) == "arg"


def test_a_dsn_file_is_read_again(dsn_file, tmp_path):
    settings = load(environ={"Z4J_DSN_FILE": dsn_file}).settings

    (tmp_path / "dsn").write_text(ENV)

    assert read_dsn(settings).project == "env"


def test_a_dsn_file_that_is_gone_is_named(tmp_path):
    faults = load(environ={"Z4J_DSN_FILE": str(tmp_path / "none")}, cwd=tmp_path).faults

    assert faults[0][0] == "Z4J-E011"


def dev_file(folder, dsn, mode=0o600):
    path = folder / ".z4j" / "dev.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"dsn": dsn}))
    path.chmod(mode)
    return path


def test_the_file_of_a_development_brain_is_found_above_and_permits_all(tmp_path):
    dev_file(tmp_path, DEV)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)

    settings = load(environ={}, cwd=below).settings

    assert settings.dsn.project == "dev"
    assert settings.allow == "all"


def test_a_development_file_that_others_may_read_is_not_believed(tmp_path):
    dev_file(tmp_path, DEV, mode=0o644)

    assert load(environ={}, cwd=tmp_path).settings.dsn is None


def test_a_development_file_never_leads_to_another_host(tmp_path):
    dev_file(tmp_path, dsn_of("dev", "brain.example.com", "https"))

    assert load(environ={}, cwd=tmp_path).settings.dsn is None


def test_texts_of_the_environment_are_typed(tmp_path):
    environ = {
        "Z4J_ENABLED": "0", "Z4J_REDACT": "card, *_code", "Z4J_TAGS": "team=pay,zone=eu",
        "Z4J_SPOOL_MAX_BYTES": "2000000", "Z4J_ENGINES": "celery",
    }  # fmt: skip

    settings = load(environ=environ, cwd=tmp_path).settings

    assert settings.enabled is False
    assert settings.redact == ("card", "*_code")
    assert settings.tags == {"team": "pay", "zone": "eu"}
    assert settings.spool_max_bytes == 2_000_000
    assert settings.engines == ("celery",)


def test_unknown_settings_are_named_together_with_the_nearest_right_ones(tmp_path):
    loaded = load({"dns": 1}, {"Z4J_ALOW": "run"}, {"REDACTED": 1, "SCHEDULES": {}}, tmp_path)

    ((code, text),) = loaded.faults
    assert code == "Z4J-E010"
    assert "dns (did you mean dsn?)" in text
    assert "Z4J_ALOW (did you mean Z4J_ALLOW?)" in text
    assert "REDACTED (did you mean REDACT?)" in text
    assert "SCHEDULES" not in text


def test_variables_of_other_programs_with_our_prefix_are_no_fault(tmp_path):
    assert load(environ={"Z4J_URL": "x", "Z4J_TOKEN": "y"}, cwd=tmp_path).faults == ()


def test_an_impossible_value_is_a_fault_and_the_default_holds(tmp_path):
    loaded = load({"spool_max_bytes": "much", "tags": "nonsense"}, {}, cwd=tmp_path)

    assert [code for code, _ in loaded.faults] == ["Z4J-E014", "Z4J-E014"]
    assert loaded.settings.spool_max_bytes == 64 << 20


def test_a10_a_secret_shows_nowhere_in_the_settings():
    settings = load({"dsn": ARG}, {}).settings

    assert ARG.split(":")[2].split("@")[0] not in repr(settings)


def test_reading_a_wrong_dsn_again_says_what_is_wrong(dsn_file, tmp_path):
    settings = load(environ={"Z4J_DSN_FILE": dsn_file}).settings
    (tmp_path / "dsn").write_text("nonsense")

    with pytest.raises(ConfigError, match="E101"):
        read_dsn(settings)


def test_a_lease_store_is_a_url_that_is_known_or_one_of_two_words(tmp_path):
    def read(text):
        loaded = load({"lease_store": text}, environ={}, cwd=tmp_path)
        return loaded.settings.lease_store, [code for code, _ in loaded.faults]

    for text in ("brain", "file", "redis://cache/3", "postgresql://db/shop"):
        assert read(text) == (text, [])
    assert read("mysql://db/shop") == ("", ["Z4J-E014"])


def test_the_password_of_a_lease_store_shows_nowhere(tmp_path):
    settings = load({"lease_store": "redis://:hush@cache/3"}, environ={}, cwd=tmp_path).settings

    assert "hush" not in repr(settings)


def test_how_old_schedules_may_be_is_seconds_and_never_negative(tmp_path):
    def read(value):
        return load({"schedule_max_stale_s": value}, environ={}, cwd=tmp_path)

    assert read("3600").settings.schedule_max_stale_s == 3600
    assert [code for code, _ in read("-1").faults] == ["Z4J-E014"]
