"""Firing the schedules of a group. The rule: nothing of it is loaded before there are some."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...scheduler.lease import LeaseStore
    from .home import Home
    from .host import GroupHost

__all__ = ["choose_store", "open_host"]


def open_host(home: Home, *, leads: bool) -> GroupHost:
    """Start what serves a group: fires, or stands by to, where it `leads`."""
    from .host import GroupHost  # noqa: PLC0415 - triggers and zones are loaded only when needed

    host = GroupHost(home, leads=leads)
    host.start()
    return host


def choose_store(home: Home) -> LeaseStore:
    """A store of leases of its own, for whoever guards starts."""
    from .choice import choose  # noqa: PLC0415 - as above

    return choose(home.place)
