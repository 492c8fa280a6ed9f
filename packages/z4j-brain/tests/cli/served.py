"""A served brain on SQLite for tests of commands, and servers that are none."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from z4j_testing.demo.processes import bound

PROJECT = "shop"
COMMAND = "import sys; from z4j_brain.cli.serve import main; sys.exit(main(sys.argv[1:]))"


def environment(**more):
    """The environment of a child that inherits no setting of ours."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    return own | more


@dataclass(frozen=True)
class Served:
    """Where it is, what lets an agent in, and its database."""

    home: Path
    url: str
    dsn: str
    link: str

    @property
    def port(self) -> int:
        return urlsplit(self.url).port

    def rows(self, query):
        with contextlib.closing(sqlite3.connect(self.home / "z4j.db")) as conn:
            return conn.execute(query).fetchall()

    def session(self):
        """A signed-in client of the REST API."""
        client = httpx.Client(base_url=self.url, headers={"X-Z4J": "1", "Origin": self.url})
        client.post("/api/v1/auth/link", json={"token": urlsplit(self.link).fragment})
        return client


@contextlib.contextmanager
def served(home, *options):
    """`z4j serve` in its own process; ended and waited for on exit."""
    given = ["--port", "0", "--data-dir", str(home), "--dev-project", PROJECT, "--print-json"]
    child = subprocess.Popen(
        bound([sys.executable, "-c", COMMAND, *given, *options], signal.SIGTERM),
        stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    try:
        line = child.stdout.readline()
        (home / "told.json").write_text(line, encoding="utf-8")
        told = json.loads(line)
        yield Served(home, told["url"], told["dsn"], told["login_url"])
    finally:
        child.terminate()
        child.communicate(timeout=20)


@contextlib.contextmanager
def listening(answer):
    """A loopback port whose connections are handed to `answer(socket)`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    threading.Thread(target=meet, args=(peer,), daemon=True).start()

        def meet(peer):
            with peer, contextlib.suppress(OSError):
                answer(peer)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
