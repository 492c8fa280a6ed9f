"""A TCP proxy that misbehaves on command. The rule: a fault holds until it is lifted, and says so.

Put it between an agent and its brain, or an app and its broker: `Proxy(("127.0.0.1", port))`. With
a `context` it terminates TLS, as what stands before a brain.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

CHUNK = 65_536
LOOK_S = 0.02
_SHAKE_S = 5.0


class Fault(StrEnum):
    """What the proxy does instead of carrying bytes."""

    NONE = "none"
    REFUSE = "refuse"
    """New connections are closed at once; old ones go on."""
    HANG = "hang"
    """Connections are accepted and nothing is carried, in either direction."""
    CUT = "cut"
    """Every connection is reset, old and new."""


@dataclass(slots=True)
class Carried:
    """Bytes that passed, per direction."""

    up: int = 0
    down: int = 0
    connections: int = 0


@dataclass(slots=True)
class Proxy:
    """Listens on a free loopback port and carries bytes to `target` and back.

    `change_up` and `change_down` may alter each chunk (flip a byte, drop it by returning b"").
    Use it as a context manager; leaving it closes every socket and joins every thread.
    """

    target: tuple[str, int]
    change_up: Callable[[bytes], bytes] | None = None
    change_down: Callable[[bytes], bytes] | None = None
    fault: Fault = Fault.NONE
    context: ssl.SSLContext | None = None
    look_s: float = LOOK_S
    """How soon an idle connection sees that a fault began, in seconds."""
    carried: Carried = field(default_factory=Carried)
    _listening: socket.socket = field(init=False)
    _open: set[socket.socket] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._listening.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    @property
    def port(self) -> int:
        """Where to connect to."""
        return int(self._listening.getsockname()[1])

    def set(self, fault: Fault) -> None:
        """Let a fault begin; `Fault.NONE` lifts it."""
        self.fault = fault
        if fault is Fault.CUT:
            self.cut()

    def cut(self) -> None:
        """Reset every connection that is open now."""
        with self._lock:
            victims, self._open = self._open, set()
        for victim in victims:  # all first: who carries bytes closes one when the other goes
            _linger_not(victim)
        for victim in victims:
            victim.close()

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True, name="z4j-proxy")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                ready, _, _ = select.select([self._listening], [], [], self.look_s)
                if not ready:
                    continue
                near, _ = self._listening.accept()
            except (OSError, ValueError):
                return
            if self.fault in (Fault.REFUSE, Fault.CUT):
                _reset(near)
                continue
            self._start(self._carry, near)

    def _carry(self, near: socket.socket) -> None:
        if self.context is not None:
            near.settimeout(_SHAKE_S)
            try:
                near = self.context.wrap_socket(near, server_side=True)
            except OSError:
                near.close()
                return
            near.settimeout(None)
        try:
            far = socket.create_connection(self.target, timeout=5)
        except OSError:
            _reset(near)
            return
        far.settimeout(None)
        with self._lock:
            self._open |= {near, far}
            self.carried.connections += 1
        with contextlib.suppress(OSError, ValueError):
            self._pump(near, far)
        with self._lock:
            self._open -= {near, far}
        near.close()
        far.close()

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        while not self._stopped.is_set():
            if self.fault is Fault.HANG:
                self._stopped.wait(self.look_s)
                continue
            ready, _, _ = select.select([near, far], [], [], self.look_s)
            for side in ready:
                data = _read(side)
                if not data:
                    return
                if side is near:
                    self.carried.up += len(data)
                    far.sendall(self.change_up(data) if self.change_up else data)
                else:
                    self.carried.down += len(data)
                    near.sendall(self.change_down(data) if self.change_down else data)


def _read(side: socket.socket) -> bytes:
    """What has come, also what TLS has read already and select does not see."""
    data = side.recv(CHUNK)
    while data and isinstance(side, ssl.SSLSocket) and side.pending():
        data += side.recv(CHUNK)
    return data


def _reset(victim: socket.socket) -> None:
    """Close so that the other side sees a reset, not an orderly end."""
    _linger_not(victim)
    victim.close()


def _linger_not(victim: socket.socket) -> None:
    """Let a close, whoever does it, be a reset."""
    with contextlib.suppress(OSError):
        linger = (1).to_bytes(4, "little") + bytes(4)
        victim.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
