"""A PostgreSQL of our own, to be stopped at will. The rule: nothing of it is left behind."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from z4j_testing.demo.processes import Family
from z4j_testing.services import free_port
from z4j_testing.signals import eventually

USER = "postgres"


def _program(name):
    """A program of the server; its packages seldom put them on the path."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = next(map(str, places), None) or shutil.which(name)
    return found or pytest.skip(f"no {name}: the server of PostgreSQL is not installed")


class Cluster:
    """One server with one database; `start` and `stop` as often as wanted."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="z4j-pg-"))
        self.port = free_port()
        self.family = Family(self.home)
        self.child = None
        self._as = []
        if os.geteuid() == 0:  # the server refuses to run as root
            user = pwd.getpwnam(USER)
            os.chown(self.home, user.pw_uid, user.pw_gid)
            self._as = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"]
            self._as += ["--clear-groups", "--pdeathsig=QUIT"]

    @property
    def url(self):
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{USER}"

    def create(self):
        data = ["-D", str(self.home / "data"), "-U", USER, "-A", "trust", "--no-sync"]
        command = [*self._as, _program("initdb"), *data, "-E", "UTF8"]
        subprocess.run(command, check=True, capture_output=True, cwd=self.home)
        return self

    def start(self):
        options = [f"listen_addresses=127.0.0.1", f"unix_socket_directories={self.home}"]  # noqa: F541
        command = [*self._as, _program("postgres"), "-D", str(self.home / "data")]
        command += ["-p", str(self.port), *(part for one in options for part in ("-c", one))]
        self.child = self.family.start("postgres", command, {}, signal.SIGQUIT)
        eventually(self._answers, "PostgreSQL to answer", 60)
        return self

    def _answers(self):
        assert self.child.process.poll() is None, self.child.tail()
        if "ready to accept connections" not in self.child.tail(50):
            return False
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def stop(self):
        """As a crash would: at once, connections cut."""
        self.child.process.send_signal(signal.SIGQUIT)
        self.child.process.wait(60)
        self.family.children.remove(self.child)

    def remove(self):
        self.family.end()
        shutil.rmtree(self.home, ignore_errors=True)


@contextlib.contextmanager
def cluster():
    """A running server of our own."""
    made = Cluster()
    try:
        yield made.create().start()
    finally:
        made.remove()
