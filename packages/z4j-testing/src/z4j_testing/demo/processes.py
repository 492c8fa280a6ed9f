"""Child processes that never outlive the demo.

The rule: each leads a group of its own, and the kernel ends it when we are gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from z4j_core.clock import SystemClock

PR_SET_PDEATHSIG = 1
_never = threading.Event()
_clock = SystemClock()


@dataclass(frozen=True, slots=True)
class Child:
    """One started process, what ends it, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    end_signal: signal.Signals
    log: Path

    def tail(self, lines: int = 15) -> str:
        """The last lines it wrote."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])


class ChildDied(Exception):
    """A process of the demo ended by itself; the message holds its last lines."""


@dataclass(slots=True)
class Family:
    """All child processes of one demo, youngest ended first."""

    logs: Path
    children: list[Child] = field(default_factory=list)

    def start(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        end_signal: signal.Signals = signal.SIGTERM,
    ) -> Child:
        """Start `command` through `__main__`, which ties its life to ours."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            child = Child(name, _popen(bound(command, end_signal), env, output), end_signal, log)
        self.children.append(child)
        return child

    def check(self) -> None:
        """See that all are alive.

        Raises:
            ChildDied: one is not.
        """
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                raise ChildDied(f"{child.name} ended with {code}:\n{child.tail()}")

    def end(self, grace_s: float = 3.0) -> None:
        """Ask every child to end, then end every group by force. Nothing is left afterwards."""
        for child in reversed(self.children):
            child.process.send_signal(child.end_signal)
        for child in reversed(self.children):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(grace_s)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
        self.children.clear()


def bound(command: Sequence[str], end_signal: signal.Signals = signal.SIGKILL) -> list[str]:
    """`command`, started so that the kernel sends it `end_signal` when this process is gone."""
    module = "z4j_testing.demo.processes"
    return [sys.executable, "-m", module, str(os.getpid()), str(int(end_signal)), *command]


def _popen(
    command: Sequence[str], env: Mapping[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, **env},
        start_new_session=True,
    )


def free_port(preferred: int | None = None, span: int = 50) -> int:
    """`preferred` on the loopback or the next free one within `span`; without it, any free port."""
    candidates = [0] if preferred is None else [*range(preferred, preferred + span), 0]
    for port in candidates:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no free port on the loopback")


def is_listening(port: int) -> bool:
    """Whether something accepts connections on this port of the loopback."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
        return True
    return False


def wait_until(
    what: str,
    holds: Callable[[], bool],
    timeout_s: float,
    family: Family | None = None,
    every_s: float = 0.1,
) -> None:
    """Ask until `holds()`.

    Raises:
        TimeoutError: it did not within `timeout_s`.
        ChildDied: a process of `family` ended meanwhile.
    """
    deadline = _clock.monotonic() + timeout_s
    while _clock.monotonic() < deadline:
        if family is not None:
            family.check()
        if holds():
            return
        _never.wait(every_s)
    raise TimeoutError(f"{what}: not within {timeout_s:.0f} s")


def _bound_exec(parent: int, end_signal: int, command: Sequence[str]) -> None:
    """Become `command`, to be ended by the kernel when `parent` is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, end_signal)
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], list(command))  # noqa: S606  no shell is the point


if __name__ == "__main__":
    _bound_exec(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
