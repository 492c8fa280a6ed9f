"""What doctor says about schedules: who may fire, where leases are, what a brain away means."""

from __future__ import annotations

import pytest
from homes import DSN
from leaders import Broker
from toy import ToyEngine
from z4j_core.cli.doctor.report import Failure
from z4j_core.cli.doctor.schedules import tell
from z4j_core.clock import SystemClock
from z4j_core.config import load


def said(tmp_path, engine=None, **given):
    settings = load({"dsn": DSN, **given}, environ={}, cwd=tmp_path).settings
    return tell(engine or ToyEngine(), settings, SystemClock())


@pytest.fixture
def broker(tmp_path):
    running = Broker(tmp_path)
    yield running
    running.close()


def test_leases_in_the_brain_are_a_warning_with_the_one_setting_that_cures_it(tmp_path):
    found = said(tmp_path)

    assert found.is_warning
    assert "fires stop when the brain is away" in found.text
    assert "Z4J_LEASE_STORE" in found.text


def test_a_store_that_answers_is_named(tmp_path, broker):
    found = said(tmp_path, lease_store=broker.url)

    assert not found.is_warning
    assert found.text == "leases in redis, fires go on while the brain is away"


def test_a_server_that_evicts_keys_is_a_warning(tmp_path, broker):
    broker.client.config_set("maxmemory-policy", "allkeys-lru")

    found = said(tmp_path, lease_store=broker.url)

    assert (found.code, found.is_warning) == ("Z4J-E302", True)
    assert "noeviction" in found.text


def test_a_store_that_does_not_answer_fails(tmp_path, broker):
    broker.stop()

    with pytest.raises(Failure) as failed:
        said(tmp_path, lease_store=broker.url)

    assert failed.value.code == "Z4J-E309"


@pytest.mark.parametrize("given", [{"scheduler": "off"}, {"allow": "observe"}, {"allow": "?"}])
def test_where_nobody_may_fire_that_fails(tmp_path, given):
    with pytest.raises(Failure) as failed:
        said(tmp_path, **given)

    assert failed.value.code == "Z4J-E305"
