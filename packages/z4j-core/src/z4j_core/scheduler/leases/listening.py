"""Waiting for a message of Redis. The rule: what was said before we listened counts as said."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

_SLICE_S = 1.0
"""How soon a wait sees that it is to end when Redis cannot carry the word."""


class Listener:
    """One subscription, made at the first wait. `own` is a channel nobody else listens to."""

    def __init__(self, channel: str, own: str, boottime: Callable[[], float]) -> None:
        self._channels = (channel, own)
        self._own = own
        self._boottime = boottime
        self._subscribed: Any = None
        self._confirmed = 0
        self._woken = threading.Event()
        self._turn = threading.Lock()

    def wait(self, client: Any, timeout_s: float) -> bool:
        """Sleep until a message or `wake`; whether one came. Errors are the client's.

        The first wait only begins to listen and says yes, as does one that had to begin anew.
        """
        with self._turn, contextlib.ExitStack() as failed:
            failed.callback(self._drop)
            found = self._waited(client, timeout_s)
            self._woken.clear()
            failed.pop_all()
            return found

    def wake(self, client: Any, errors: tuple[type[Exception], ...]) -> None:
        """End a wait in another thread, or the next one."""
        self._woken.set()
        if client is not None and self._subscribed is not None:
            with contextlib.suppress(*errors):
                client.publish(self._own, "")

    def close(self, errors: tuple[type[Exception], ...]) -> None:
        """Let go of the subscription."""
        self._woken.set()
        with self._turn, contextlib.suppress(*errors):
            self._drop()

    def _waited(self, client: Any, timeout_s: float) -> bool:
        if self._subscribed is None:
            self._confirmed = 0
            self._subscribed = client.pubsub()
            self._subscribed.subscribe(*self._channels)
            return True
        until = self._boottime() + timeout_s
        while not self._woken.is_set():
            left = until - self._boottime()
            if left <= 0:
                return False
            message = self._subscribed.get_message(timeout=min(_SLICE_S, left))
            if message is not None and not self._is_first_confirmation(message):
                return True
        return True

    def _is_first_confirmation(self, message: Any) -> bool:
        """Whether it only says that we listen; said again, the client had lost its connection."""
        if message["type"] != "subscribe":
            return False
        self._confirmed += 1
        return self._confirmed <= len(self._channels)

    def _drop(self) -> None:
        held, self._subscribed = self._subscribed, None
        if held is not None:
            held.close()
