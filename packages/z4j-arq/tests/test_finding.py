"""Pools, workers and tasks of arq are found, and what was packed is read."""

import asyncio

import arq_shop
import pytest
import redis as redis_py
import z4j_arq
from arq import Worker, create_pool, cron, func
from arq.connections import ArqRedis, RedisSettings
from arq_inside import pool_of
from redis.asyncio.sentinel import Sentinel
from z4j_arq.message import call_in, pack, unpack
from z4j_arq.names import Names
from z4j_arq.places import adapt, client_like
from z4j_core import (
    Native,
    Unsupported,
)
from z4j_core.place import redis_place

pytestmark = pytest.mark.filterwarnings("default")


def test_a_pool_and_a_worker_with_a_pool_are_found_when_they_are_made(bench):
    found = []
    z4j_arq.detect(None, found.append)

    async def make():
        settings = RedisSettings.from_dsn(bench.url)
        pool = await create_pool(settings, default_queue_name="shop:queue")
        worker = Worker([arq_shop.ok], redis_pool=pool, handle_signals=False)
        engines = adapt(pool), adapt(worker)
        assert "shop:queue" in engines[0].pools.queues()
        await pool.close(close_connection_pool=True)
        return engines

    one, two = asyncio.run(make())

    assert one is two
    assert one in found
    assert one.app == redis_place(bench.client.connection_pool)


def test_a_worker_without_a_pool_reports_itself_later():
    async def make():
        return Worker([arq_shop.ok], handle_signals=False)

    with pytest.raises(ValueError, match="reports itself"):
        adapt(asyncio.run(make()))


def test_a_verb_has_connections_of_its_own(bench):
    pool = pool_of(bench.url)

    client = client_like(pool)

    assert redis_place(client.connection_pool) == redis_place(pool.connection_pool)
    assert client.ping()
    client.close()


def test_other_ways_to_redis_are_taken_over():
    tls = client_like(ArqRedis(host="h", ssl=True, ssl_cert_reqs="none", password="p"))
    unix = client_like(ArqRedis(unix_socket_path="/tmp/redis.sock", db=3))
    hosts = [("one", 26379), ("two", 26380)]
    master = Sentinel(hosts, sentinel_kwargs={"password": "s"}, db=2)
    watched = client_like(master.master_for("mine", redis_class=ArqRedis))

    assert tls.connection_pool.connection_class is redis_py.SSLConnection
    assert tls.connection_pool.connection_kwargs["password"] == "p"
    assert unix.connection_pool.connection_kwargs["path"] == "/tmp/redis.sock"
    assert watched.connection_pool.service_name == "mine"
    asked = watched.connection_pool.sentinel_manager.sentinels
    assert [s.connection_pool.connection_kwargs["host"] for s in asked] == ["one", "two"]


def test_tasks_of_a_setting_are_those_of_its_worker(monkeypatch):
    async def nightly(ctx, day: int = 1):
        """Tidy up."""

    limited = func(arq_shop.hard, name="limited", timeout=1, max_tries=3)
    settings = type("Settings", (), {
        "functions": [arq_shop.ok, limited], "cron_jobs": [cron(nightly, hour=3)],
        "queue_name": "shop:queue",
    })  # fmt: skip
    monkeypatch.setattr(arq_shop, "Settings", settings, raising=False)

    found = {each.name: each for each in Names(["arq_shop.Settings"]).discover()}

    (nightly_name,) = set(found) - {"ok", "limited"}
    assert {each.queue for each in found.values()} == {"shop:queue"}
    assert (found["limited"].timeout_s, found["limited"].max_retries) == (1, 2)
    assert nightly_name.startswith("cron:")
    assert found[nightly_name].doc == "Tidy up."
    assert [(p.name, p.annotation) for p in found[nightly_name].params] == [("day", "int")]


def test_a_setting_that_does_not_import_is_tried_once():
    names = Names(["no_such_module_anywhere.WorkerSettings"])

    with pytest.raises(ImportError):
        names.discover()

    assert names.discover() == []


def test_a_name_is_learned_from_what_is_sent(bench):
    bench.send("nowhere", 1)

    (found,) = bench.engine.discover()
    assert (found.name, found.queue, found.module, found.params) == (
        "nowhere", bench.queue, None, (),
    )  # fmt: skip


def test_what_was_not_packed_here_is_refused():
    with pytest.raises(Unsupported):
        unpack(Native("ok", b"\x00\x00"))


def test_what_is_packed_is_unpacked():
    assert unpack(pack("id", "queue", "ok", b"\x00data")) == ("id", "queue", b"\x00data")


@pytest.mark.parametrize("data", [b"", b"{", b"\x80\x05", b"[1]", b'{"f": 1}', b"\xff" * 9])
def test_what_cannot_be_read_is_opaque(data):
    call = call_in(data)

    assert call.task is None
    assert call.opaque


def test_arguments_that_are_none_are_opaque():
    assert call_in(b'{"f": "ok", "a": 1, "k": {}}')[:2] == ("ok", None)
