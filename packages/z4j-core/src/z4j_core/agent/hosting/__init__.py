"""Firing the schedules of a group. The rule: nothing of it is loaded before there are some."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .home import Home
    from .host import GroupHost

__all__ = ["open_host"]


def open_host(home: Home) -> GroupHost:
    """Start what fires the schedules of a group, or stands by to."""
    from .host import GroupHost  # noqa: PLC0415 - triggers and zones are loaded only when needed

    host = GroupHost(home)
    host.start()
    return host
