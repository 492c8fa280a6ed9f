"""Servers that a failover is about: a Redis of our own, and stores behind a faulty way.

The rule: nothing of them is left behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from chaos_brain import BrainProcess
from z4j_testing.demo.processes import Family
from z4j_testing.demo.rest import by_token
from z4j_testing.services import free_port, postgres_url
from z4j_testing.signals import eventually

START_S = 240.0
"""How long a brain may take to serve beside all that starts with it."""


class Server:
    """A Redis that keeps nothing on disk: killed, it has lost all."""

    def __init__(self, family, name, env=None):
        self.family, self.name, self.env = family, name, env or {}
        self.port = free_port()
        self.client = redis.Redis(port=self.port, socket_timeout=5)
        self.child = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        program = shutil.which("redis-server") or pytest.skip("redis-server is not installed")
        command = [program, "--port", str(self.port), "--save", "", "--appendonly", "no"]
        command += ["--dir", str(self.family.logs)]
        self.child = self.family.start(self.name, command, self.env)
        eventually(self._answers, f"{self.name} to answer")

    def _answers(self):
        with contextlib.suppress(redis.ConnectionError):
            return self.client.ping()
        return None

    def kill(self):
        """End it without a word, and all it held."""
        self.child.process.send_signal(signal.SIGKILL)
        self.child.process.wait()
        self.family.children.remove(self.child)


@contextlib.contextmanager
def database():
    """A database of the shared PostgreSQL for leases alone; its URL."""
    name = f"failover_{os.urandom(6).hex()}"
    with psycopg.connect(postgres_url("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield postgres_url(name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def through(url, proxy):
    """The URL of a server as who comes through a proxy has to write it."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{proxy.port}"))


class Place:
    """A brain and everything around it; a context that ends all of it."""

    def __init__(self, home, **brain):
        self.home = home
        self.family = Family(home)
        self.brain = BrainProcess(self.family, home / "brain", start_s=START_S, **brain)

    def __enter__(self):
        self.brain.start()
        return self

    def __exit__(self, *_error):
        self.family.end()

    @property
    def rest(self):
        """Its API, as a program asks it."""
        told = self.brain.told
        return by_token(told["url"], "demo", told["token"], START_S)
