"""Servers for tests: Redis, PostgreSQL, RabbitMQ, NATS. The rule: here alone one is missing or not.

Missing is a loud skip, and an error when `Z4J_REQUIRE_SERVICES=1`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

REQUIRED = "Z4J_REQUIRE_SERVICES"
_ANSWER_S = 2.0


def redis_url(db: int = 15) -> str:
    """URL of a Redis database for tests; `Z4J_TEST_REDIS` names another server."""
    base = os.environ.get("Z4J_TEST_REDIS", "redis://127.0.0.1:6379").rstrip("/")
    _reachable("Redis", base, 6379)
    return f"{base}/{db}"


def amqp_url(vhost: str | None = None) -> str:
    """URL of RabbitMQ for tests; `Z4J_TEST_AMQP` names another server, virtual host and all."""
    parts = urlsplit(os.environ.get("Z4J_TEST_AMQP", "amqp://guest:guest@127.0.0.1:5672"))
    base = parts._replace(path="").geturl()
    _reachable("RabbitMQ", base, 5672)
    return f"{base}/{vhost or parts.path.strip('/') or '/'}"


def postgres_url(database: str) -> str:
    """URL of a PostgreSQL database for tests; `Z4J_TEST_PG` names another server."""
    base = os.environ.get("Z4J_TEST_PG", "postgresql://postgres@127.0.0.1:5432").rstrip("/")
    _reachable("PostgreSQL", base, 5432)
    return f"{base}/{database}"


def nats_url() -> str:
    """URL of a NATS server with JetStream for tests; `Z4J_TEST_NATS` names another one."""
    base = os.environ.get("Z4J_TEST_NATS", "nats://127.0.0.1:4222").rstrip("/")
    _reachable("NATS", base, 4222)
    return base


def broker_url(broker: str, redis_db: int = 15) -> str:
    """URL of the broker a rig names: `redis` or `rabbitmq`."""
    return redis_url(redis_db) if broker == "redis" else amqp_url()


@contextlib.contextmanager
def amqp_vhosts(count: int) -> Iterator[list[str]]:
    """URLs of that many empty virtual hosts of RabbitMQ, gone afterwards; needs `rabbitmqctl`."""
    user = urlsplit(amqp_url()).username or "guest"
    names = [f"z4j-{os.urandom(8).hex()}" for _ in range(count)]
    with contextlib.ExitStack() as last:
        for name in names:
            _rabbitmqctl("add_vhost", name)
            last.callback(_rabbitmqctl, "delete_vhost", name)
            _rabbitmqctl("set_permissions", "-p", name, user, ".*", ".*", ".*")
        yield [amqp_url(name) for name in names]


def _rabbitmqctl(*words: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603  (a command of ours, no shell)
            ["rabbitmqctl", "-q", *words],  # noqa: S607  (wherever it is installed)
            capture_output=True, text=True, timeout=50, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        _missing("rabbitmqctl on this machine")
    if done.returncode:
        _missing(f"rabbitmqctl that may {words[0]}: {done.stderr.strip()[-200:]}")


def free_port() -> int:
    """A TCP port of the loopback nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _reachable(what: str, url: str, port: int) -> None:
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or port)
    try:
        socket.create_connection(address, _ANSWER_S).close()
    except OSError as error:
        _missing(f"{what} at {address[0]}:{address[1]}: {error}")


def _missing(text: str) -> NoReturn:
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{REQUIRED}=1 and no {text}", pytrace=False)
    pytest.skip(f"no {text}")
