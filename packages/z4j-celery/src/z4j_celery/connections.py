"""Connections to a broker. The rule: a failure before anything was sent differs from one after.

Connecting costs ten times what a message does, so a connection that served is kept for a while. It
is lent again only after an answer of the broker over it: it is as good as one just made.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakKeyDictionary, finalize

from kombu.exceptions import OperationalError
from z4j_core import EngineUnavailable, Indeterminate
from z4j_core.clock import SystemClock

KEPT_S = 10.0
"""How long a connection waits for its next use, well below a broker's heartbeat."""
AT_MOST = 16
"""Connections kept for an app, as many as its fires go out at a time."""

_now = SystemClock().monotonic
_Kept = deque[tuple[Any, float, int]]
"""Connection, monotonic s when it came back, process that made it."""
_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()


@contextmanager
def connected(app: Any) -> Iterator[Any]:
    """Lend a connection of its own, for orders with answers; it is closed in the end.

    Raises:
        EngineUnavailable: the broker did not answer. Nothing was sent.
        Indeterminate: the connection broke later. It may have been sent.
    """
    connection = _new(app)
    try:
        with _telling(connection):
            yield connection
    finally:
        connection.release()


@contextmanager
def sending(app: Any) -> Iterator[Any]:
    """Lend a connection to send over, which nobody else has meanwhile.

    Raises: as `connected` does.
    """
    connection = _again(app) or _new(app)
    is_whole = False
    try:
        with _telling(connection):
            yield connection
            is_whole = _settled(connection)
    finally:
        if is_whole:
            _keep(app, connection)
        else:
            connection.release()


@contextmanager
def _telling(connection: Any) -> Iterator[None]:
    try:
        yield
    except (OperationalError, *connection.connection_errors) as error:
        raise Indeterminate(f"the broker went away: {error}") from error


def _settled(connection: Any) -> bool:
    """Have the broker take what was sent; whether the connection may be kept.

    Nobody answers a message on AMQP. An answer to a question after it says that it has arrived.
    """
    ask = _ANSWERS.get(driver := connection.transport.driver_type)
    if ask is not None and driver == "amqp":
        ask(connection.default_channel)
    return ask is not None


def _new(app: Any) -> Any:
    connection = app.connection_for_write()
    try:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=3)
    except (OperationalError, *connection.connection_errors) as error:
        connection.release()
        raise EngineUnavailable(f"no connection to the broker: {error}") from error
    return connection


def _keep(app: Any, connection: Any) -> None:
    """Put one back; what nobody wanted for a while is closed, with the app all of it."""
    kept = _kept.get(app)
    if kept is None:
        kept = _kept.setdefault(app, deque())
        finalize(app, _shrink, kept, 0, math.inf)
    now = _now()
    kept.append((connection, now, os.getpid()))
    _shrink(kept, AT_MOST, now - KEPT_S)


def _shrink(kept: _Kept, most: int, since: float) -> None:
    """Close the oldest, until so many are left that came back after a time."""
    while kept and (len(kept) > most or kept[0][1] < since):
        with suppress(IndexError):  # another thread was faster
            _let_go(*kept.popleft())


def _again(app: Any) -> Any:
    """One that was kept and answers; None where there is none."""
    kept = _kept.get(app)
    while kept:
        try:
            connection, since, pid = kept.pop()
        except IndexError:  # another thread was faster
            return None
        if pid == os.getpid() and _now() - since < KEPT_S and _answers(connection):
            return connection
        _let_go(connection, since, pid)
    return None


def _answers(connection: Any) -> bool:
    """Ask the broker; queues are declared anew, for somebody may have deleted one meanwhile."""
    try:
        _ANSWERS[connection.transport.driver_type](connection.default_channel)
        connection.declared_entities.clear()
    except _failures(connection):
        return False
    return True


def _let_go(connection: Any, _since: float, pid: int) -> None:
    """Close it; what a parent made before a fork is the parent's."""
    if pid == os.getpid():
        with suppress(*_failures(connection)):
            connection.release()


def _failures(connection: Any) -> tuple[type[BaseException], ...]:
    """What a broker that is gone, or has closed a channel, raises."""
    return (OperationalError, *connection.connection_errors, *connection.channel_errors)


def _redis_answers(channel: Any) -> None:
    channel.client.ping()


def _amqp_answers(channel: Any) -> None:
    channel.basic_qos(0, 1, False)  # noqa: FBT003  (it consumes nothing: a question with an answer)


_ANSWERS = {"redis": _redis_answers, "amqp": _amqp_answers}
"""How to ask, by type of transport; of others no connection is kept."""
