"""Choosing where a spool may live.

The rule: a directory is ours alone, no symlink and local, or it is not used.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Storage = Literal["disk", "shm", "memory"]

_REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "lustre", "gpfs",
     "beegfs", "virtiofs", "ocfs2", "gfs2", "vboxsf", "vmhgfs", "drvfs", "ncpfs", "coda"}
)  # fmt: skip
_VOLATILE = frozenset({"tmpfs", "ramfs"})
SHM_MAX_BYTES = 16 * 1024 * 1024


class Candidate(NamedTuple):
    """A root that may be tried; `is_small` when it takes the host's memory."""

    path: str
    label: str
    is_small: bool = False


@dataclass(frozen=True, slots=True)
class Root:
    """A directory that passed every check. `note` says in one line what was chosen and why."""

    path: str
    storage: Storage
    note: str
    is_small: bool


def choose(explicit: str | None, passed: list[str]) -> Iterator[Root]:
    """Usable roots, best first; why others were passed over is added to `passed`."""
    for candidate in candidates(explicit):
        fstype = filesystem_of(candidate.path)
        reason = _objection(candidate.path, fstype)
        if reason is None:
            storage: Storage = "shm" if fstype in _VOLATILE else "disk"
            note = f"{candidate.path} ({storage}, {candidate.label})"
            if passed:
                note += "; not used: " + "; ".join(passed)
            yield Root(candidate.path, storage, note, candidate.is_small)
        else:
            passed.append(f"{candidate.label} {candidate.path}: {reason}")


def candidates(explicit: str | None) -> Iterator[Candidate]:
    """Roots in the order they are tried."""
    if explicit:
        yield Candidate(os.path.abspath(explicit), "configured")
    state = os.environ.get("XDG_STATE_HOME")
    if state and os.path.isabs(state):
        yield Candidate(os.path.join(state, "z4j"), "XDG_STATE_HOME")
    home = os.path.expanduser("~")
    if os.path.isabs(home) and home != "/":
        yield Candidate(os.path.join(home, ".local", "state", "z4j"), "home")
    name = f"z4j-{os.geteuid()}"
    yield Candidate(os.path.join("/var/tmp", name), "temporary directory")  # noqa: S108
    yield Candidate(os.path.join("/dev/shm", name), "shared memory", is_small=True)  # noqa: S108


def _objection(path: str, fstype: str) -> str | None:
    """Why this root cannot be used; creates it when it can."""
    if fstype in _REMOTE or fstype.startswith("fuse"):
        return f"{fstype} breaks appends and locks"
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        found = os.lstat(path)
        if not stat.S_ISDIR(found.st_mode):
            return "not a directory"
        if found.st_uid not in (os.geteuid(), 0):
            return "owned by another user"
        if found.st_mode & 0o022:
            return "writable by others"
        return _probe(path)
    except OSError as error:
        return error.strerror or "not usable"


def _probe(path: str) -> str | None:
    """Try what the spool needs: exclusive creation, hard links, locks."""
    temp = os.path.join(path, f".probe-{os.getpid()}-{os.urandom(4).hex()}")
    fd = os.open(temp, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.link(temp, temp + "l")
        os.unlink(temp + "l")
    finally:
        os.close(fd)
        os.unlink(temp)
    return None


def private_directory(path: str) -> str | None:
    """Make `path` if it is missing; why it is not ours alone, None when it is."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        found = os.lstat(path)
    except OSError as error:
        return error.strerror or "not usable"
    if not stat.S_ISDIR(found.st_mode):
        return "not a directory"
    if found.st_uid != os.geteuid():
        return "owned by another user"
    if found.st_mode & 0o077:
        return "open to others"
    return None


def filesystem_of(path: str) -> str:
    """Type of the file system that holds `path`, also before it exists; "" when unknown."""
    real = os.path.realpath(path)
    best, found = "", ""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
            lines = mounts.readlines()
    except OSError:
        return ""
    for line in lines:
        fields = line.split(" ")
        point = _unescaped(fields[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best) and "-" in fields:
            best, found = point, fields[fields.index("-") + 1]
    return found


def _unescaped(point: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, char)
    return point
