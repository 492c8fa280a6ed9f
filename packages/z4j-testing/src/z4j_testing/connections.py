"""Who holds which connection, as Linux tells it. The rule: a socket counts once.

A child that was forked has its parent's descriptors: it has opened nothing for that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .outside import Outside

_REMOTE, _STATE, _INODE = 2, 3, 9
_ESTABLISHED = "01"
_SESSION = 3
"""Where `/proc/<pid>/stat` has the session, counted behind the name."""


def members(session: int) -> list[int]:
    """Processes of a session, its leader among them; those that ended meanwhile are left out."""
    found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in found if _session_of(pid) == session]


def connections(session: int, port: int) -> Mapping[int, frozenset[str]]:
    """Sockets that each process of a session holds to a port of the loopback, by process."""
    return {pid: held(pid, port) for pid in members(session)}


def one_each(rig: Outside, workers: int) -> Mapping[int, frozenset[str]]:
    """Sockets to the brain of a rig by process, once each of so many has one and no more is open.

    Raises:
        AssertionError: somebody has another one, or connected who is none of them.
    """
    found = connections(rig.worker.pid, rig.brain.port)
    told = [each.pid for each in rig.brain.store.registers]
    owners = set(told) - {os.getpid()}
    assert len(owners) == workers, f"{owners} have connected"
    assert {pid: len(found[pid]) for pid in owners} == dict.fromkeys(owners, 1), found
    assert len(frozenset().union(*found.values())) == workers, found
    assert rig.brain.accepted == len(told), "somebody has connected who did not say who it is"
    return found


def held(pid: int, port: int) -> frozenset[str]:
    """Sockets of a process to a port of the loopback; none of one that has ended."""
    try:
        links = [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]
        rows = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return frozenset()
    fields = [row.split() for row in rows]
    ours = {
        f"socket:[{each[_INODE]}]"
        for each in fields
        if each[_STATE] == _ESTABLISHED and int(each[_REMOTE].rpartition(":")[2], 16) == port
    }
    return frozenset(ours.intersection(links))


def _session_of(pid: int) -> int | None:
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(told.rpartition(")")[2].split()[_SESSION])
