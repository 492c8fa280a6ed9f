"""What only Redis has: keys that may be evicted, scripts it may forget, clients that decode."""

from __future__ import annotations

import os
import subprocess

import pytest
import redis
from lease_services import OnRedis, boottime
from z4j_core.errors import StoreError
from z4j_core.scheduler.lease import Outcome
from z4j_core.scheduler.leases.redis import RedisStore, eviction_risk
from z4j_testing.leases.bench import lead, slot
from z4j_testing.services import free_port
from z4j_testing.signals import eventually


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A server of its own: its settings and scripts are changed."""
    port = free_port()
    folder = str(tmp_path_factory.mktemp("redis"))
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", folder]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    client = redis.Redis.from_url(url)

    def answers():
        try:
            return client.ping()
        except redis.ConnectionError:
            return False

    eventually(answers, "Redis to start")
    yield url
    client.close()
    server.terminate()
    server.wait()


@pytest.fixture
def client(url):
    client = redis.Redis.from_url(url)
    yield client
    client.close()


@pytest.fixture
def group():
    return f"demo/toy/{os.urandom(6).hex()}"


def test_scripts_the_server_forgot_are_sent_again(client, group):
    store = RedisStore(client, group, boottime)
    lease = lead(store)
    client.script_flush()

    assert store.claim(lease, [slot(0)]) == [Outcome.CLAIMED]


@pytest.mark.parametrize(
    ("policy", "risk"),
    [("noeviction", False), ("volatile-lru", False), ("allkeys-lru", True), ("allkeys-lfu", True)],
)
def test_a_server_that_evicts_state_is_named(client, policy, risk):
    client.config_set("maxmemory-policy", policy)
    try:
        said = eviction_risk(client)
    finally:
        client.config_set("maxmemory-policy", "noeviction")

    assert (policy in said) if risk else said is None


def test_all_keys_of_a_group_are_in_one_slot_of_a_cluster(client, group):
    store = RedisStore(client, group, boottime)
    lease = lead(store)
    store.claim(lease, [slot(0)])
    store.run_started(slot(0).schedule, slot(0).fire_id, started=True)
    store.run_ended(slot(0).schedule, slot(0).fire_id, failed=True)
    store.first_start(slot(0).fire_id, 1)

    keys = [key for key in client.scan_iter("z4j:*") if group.encode() in key]

    assert len(keys) >= 6
    assert all(key.startswith(b"z4j:{%s}:" % group.encode()) for key in keys)
    lasting = {key.rpartition(b":")[2] for key in keys if client.ttl(key) == -1}
    assert {b"lease", b"cur", b"open", b"cnt"} <= lasting


def test_a_client_that_decodes_is_said_to_be_wrong(url, group):
    client = redis.Redis.from_url(url, decode_responses=True)
    store = RedisStore(client, group, boottime)

    with pytest.raises(StoreError, match="returns bytes"):
        lead(store)
    client.close()


def test_a_client_is_made_when_it_is_needed(url, group):
    made = []

    def make():
        made.append(redis.Redis.from_url(url))
        return made[-1]

    store = RedisStore(make, group, boottime)
    assert made == []

    lead(store)
    store.cursors()

    assert len(made) == 1
    made[0].close()
    assert OnRedis(url, group).group == group
