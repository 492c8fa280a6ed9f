"""Both stores keep the same promises; Redis is a real one."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import uuid
from functools import partial

import pytest
from z4j_core.clock import SystemClock
from z4j_core.errors import StoreError, StoreUnavailable
from z4j_core.replay import MAX_RECORD_BYTES, RecordTooLarge
from z4j_core.replay.file import FileReplay
from z4j_core.replay.redis import PREFIX, RedisReplay, key_of
from z4j_testing.crowd import at_once

redis = pytest.importorskip("redis", reason="redis-py is not installed")
pytest.importorskip("redis.retry")
URL = os.environ.get("Z4J_TEST_REDIS", "redis://127.0.0.1:6379/1")
LATER = 4_000_000_000_000_000
CROWD, TIMES = 4, 60


@pytest.fixture
def client():
    client = redis.Redis.from_url(URL)
    try:
        client.ping()
    except redis.ConnectionError:
        if os.environ.get("Z4J_REQUIRE_SERVICES"):
            raise
        pytest.skip("no Redis")
    yield client
    client.close()


@pytest.fixture
def app(request):
    name = f"test-{uuid.uuid4().hex}"
    yield name
    if "client" in request.fixturenames:
        client = request.getfixturevalue("client")
        for key in client.scan_iter(f"{PREFIX}:{name}:*"):
            client.delete(key)


@pytest.fixture(params=["file", "redis"])
def store(request, tmp_path):
    if request.param == "redis":
        client = request.getfixturevalue("client")
        yield RedisReplay(lambda: client)
    else:
        store = FileReplay(str(tmp_path / "replay.db"), 1 << 20, SystemClock())
        yield store
        store.close()


def test_a_message_comes_back_byte_for_byte(store, app):
    body = bytes(range(256)) * 4

    store.put("celery", app, "t1", "shop.charge", body, LATER)

    record = store.get("celery", app, "t1")
    assert record is not None
    assert record.body == body
    assert record.task == "shop.charge"
    assert record.sha256 == hashlib.sha256(body).digest()
    assert record.until_us == LATER
    store.drop("celery", app, "t1")


def test_an_unknown_run_has_no_message(store, app):
    assert store.get("celery", app, "nothing") is None


def test_a_later_message_of_a_run_replaces_the_first(store, app):
    store.put("celery", app, "t1", "a", b"one", LATER)
    store.put("celery", app, "t1", "a", b"two", LATER)

    record = store.get("celery", app, "t1")

    assert record is not None
    assert record.body == b"two"
    store.drop("celery", app, "t1")


def test_a_dropped_message_is_gone(store, app):
    store.put("celery", app, "t1", "a", b"one", LATER)

    store.drop("celery", app, "t1")

    assert store.get("celery", app, "t1") is None
    store.drop("celery", app, "t1")


def test_a_message_over_the_limit_is_refused_not_cut(store, app):
    store.put("celery", app, "t1", "a", b"x" * MAX_RECORD_BYTES, LATER)

    with pytest.raises(RecordTooLarge):
        store.put("celery", app, "t2", "a", b"x" * (MAX_RECORD_BYTES + 1), LATER)

    assert store.get("celery", app, "t2") is None
    store.drop("celery", app, "t1")


def test_a_record_in_redis_ends_after_seven_days(client, app):
    RedisReplay(client).put("celery", app, "t1", "a", b"one", LATER)

    assert 604_700 < client.ttl(key_of(app, "t1")) <= 604_800


def test_a_record_moved_to_another_run_is_refused(client, app):
    store = RedisReplay(client)
    store.put("celery", app, "t1", "a", b"one", LATER)
    client.copy(key_of(app, "t1"), key_of(app, "t2"))

    with pytest.raises(StoreError, match="another run"):
        store.get("celery", app, "t2")


@pytest.mark.parametrize(
    "bytes_", [b"", b"\xc1", b"\x90", b"\x80", b"not ours", b"\x98\x02" + b"\x00" * 7]
)
def test_foreign_bytes_under_a_key_are_refused(client, app, bytes_):
    client.set(key_of(app, "t1"), bytes_, ex=60)

    with pytest.raises(StoreError):
        RedisReplay(client).get("celery", app, "t1")


def test_a_changed_body_is_refused(client, app):
    store = RedisReplay(client)
    store.put("celery", app, "t1", "a", b"pay 10 to alice", LATER)
    packed = client.get(key_of(app, "t1"))
    client.set(key_of(app, "t1"), packed.replace(b"alice", b"mally"), ex=60)

    with pytest.raises(StoreError, match="changed"):
        store.get("celery", app, "t1")


def test_a_redis_that_is_away_is_told_as_unavailable():
    retry = redis.retry.Retry(redis.backoff.NoBackoff(), 0)
    store = RedisReplay(lambda: redis.Redis(port=1, socket_connect_timeout=1, retry=retry))

    with pytest.raises(StoreUnavailable):
        store.put("celery", "app", "t1", "a", b"one", LATER)
    with pytest.raises(StoreUnavailable):
        store.get("celery", "app", "t1")


def test_a_client_that_decodes_is_refused(client, app):
    RedisReplay(client).put("celery", app, "t1", "a", b"one", LATER)
    decoding = redis.Redis.from_url(URL, decode_responses=True, encoding_errors="replace")

    with pytest.raises(StoreError, match="returns bytes"):
        RedisReplay(decoding).get("celery", app, "t1")
    decoding.close()


def test_core_brings_no_redis_of_its_own():
    code = "import sys, z4j_core.replay.redis; assert 'redis' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


class StoppedClock(SystemClock):
    __slots__ = ("now_us",)

    def __init__(self, now_us):
        self.now_us = now_us

    def wall_us(self):
        return self.now_us


def test_the_file_is_ours_alone(tmp_path):
    old = os.umask(0)
    try:
        store = FileReplay(str(tmp_path / "replay.db"), 1 << 20, SystemClock())
        store.put("rq", "app", "t1", "a", b"one", LATER)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(old)

    assert modes == {0o600}


def test_a_linked_file_is_not_written(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StoreUnavailable):
        FileReplay(str(tmp_path / "link"), 1 << 20, SystemClock()).put(
            "rq", "a", "t", "a", b"", LATER
        )

    assert not (tmp_path / "elsewhere").exists()


def test_many_that_open_a_new_file_at_once_are_all_answered(tmp_path):
    def opened(at):
        path = str(tmp_path / f"replay-{at}.db")
        crowd = [FileReplay(path, 1 << 20, SystemClock()) for _ in range(CROWD)]
        try:
            return at_once([partial(store.get, "rq", "a", "t") for store in crowd])
        finally:
            for store in crowd:
                store.close()

    assert [opened(at) for at in range(TIMES)] == [[None] * CROWD] * TIMES


def test_the_oldest_records_make_room(tmp_path):
    store = FileReplay(str(tmp_path / "replay.db"), 100_000, SystemClock())
    for n in range(30):
        store.put("rq", "app", f"t{n}", "a", b"x" * 10_000, LATER)

    kept = [n for n in range(30) if store.get("rq", "app", f"t{n}") is not None]

    assert kept == list(range(21, 30))
    store.close()


def test_what_is_out_of_date_is_gone(tmp_path):
    clock = StoppedClock(1_000)
    store = FileReplay(str(tmp_path / "replay.db"), 1 << 20, clock)
    store.put("rq", "app", "t1", "a", b"one", 2_000)
    assert store.get("rq", "app", "t1") is not None

    clock.now_us = 2_000

    assert store.get("rq", "app", "t1") is None
    store.close()


def test_the_same_id_in_two_apps_is_two_runs(tmp_path):
    store = FileReplay(str(tmp_path / "replay.db"), 1 << 20, SystemClock())
    store.put("rq", "one", "t", "a", b"one", LATER)
    store.put("rq", "two", "t", "a", b"two", LATER)

    bodies = [record.body for app in ("one", "two") if (record := store.get("rq", app, "t"))]

    assert bodies == [b"one", b"two"]
    store.close()


def test_a_forked_child_opens_the_file_anew(tmp_path):
    store = FileReplay(str(tmp_path / "replay.db"), 1 << 20, SystemClock())
    store.put("rq", "app", "parent", "a", b"one", LATER)

    pid = os.fork()
    if pid == 0:
        try:
            store.put("rq", "app", "child", "a", b"two", LATER)
            os._exit(0)
        finally:
            os._exit(1)

    assert os.waitpid(pid, 0)[1] == 0
    assert store.get("rq", "app", "child") is not None
    store.put("rq", "app", "again", "a", b"three", LATER)
    store.close()


def test_a_file_that_is_no_database_is_told_as_unavailable(tmp_path):
    (tmp_path / "replay.db").write_bytes(b"something else entirely" * 100)

    with pytest.raises(StoreUnavailable):
        FileReplay(str(tmp_path / "replay.db"), 1 << 20, SystemClock()).get("rq", "a", "t")


def test_a_body_changed_in_the_file_is_refused(tmp_path):
    import sqlite3

    store = FileReplay(str(tmp_path / "replay.db"), 1 << 20, SystemClock())
    store.put("rq", "app", "t1", "a", b"one", LATER)
    with sqlite3.connect(tmp_path / "replay.db") as database:
        database.execute("UPDATE record SET body = ?", (b"two",))
    database.close()

    with pytest.raises(StoreError, match="changed"):
        store.get("rq", "app", "t1")
    store.close()
