"""A lease store in a directory of one host. The rule: a dead leader is followed at once.

It is the SQL store in SQLite, and a lock each owner holds for life: who finds the leader's lock
free knows that it died. A stopped leader keeps its lock; its lease has to run out.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import StoreError, StoreUnavailable
from ..lease import Acquired, Lease
from . import ledger
from .claims import GUARD_S, UNSEEN_MS
from .connections import Connections
from .ledger import Standing
from .living import Living
from .sql import SqlStore
from .tables import Statements

_BUSY_S = 5.0
_HOST = ""
"""In place of a group: the row that says which boot of which host uses the directory."""


class FileStore(SqlStore):
    """The store of one group in `directory`, which is made, for this user alone.

    Raises:
        StoreError: the directory is not ours alone.
    """

    kind = "file"

    def __init__(
        self,
        directory: str,
        group: str,
        boottime: Callable[[], float],
        *,
        boot: str | None = None,
        unseen_ms: int = UNSEEN_MS,
        guard_s: int = GUARD_S,
    ) -> None:
        _make_private(directory)
        path = os.path.join(directory, "leases.db")  # noqa: PTH118
        transaction = Connections(lambda: _opened(path))
        super().__init__(transaction, group, boottime, unseen_ms=unseen_ms, guard_s=guard_s)
        self._boot = boot or boot_id()
        self._living = Living(directory)

    def acquire(self, owner: str, *, ttl_ms: int, fp: str, rev: str) -> Acquired:
        """Become the leader, or hear why not.

        Raises:
            StoreError: another host uses the directory, or did so before its last start.
        """
        self._locks(lambda: self._living.hold(owner))
        with self._transaction() as db:
            self._at_home(db, ttl_ms)
            self._bury(db)
        found = super().acquire(owner, ttl_ms=ttl_ms, fp=fp, rev=rev)
        if isinstance(found, Lease):
            self._locks(self._living.sweep)
        return found

    def renew(self, lease: Lease, *, ttl_ms: int) -> Lease:
        """Hold it for longer."""
        found = super().renew(lease, ttl_ms=ttl_ms)
        with self._transaction() as db:
            self._at_home(db, ttl_ms)
        return found

    def close(self) -> None:
        """Close the file and let go of the lock: others take this owner for dead."""
        super().close()
        self._living.close()

    def _standing(self) -> Standing:
        with self._transaction() as db:
            self._bury(db)
            return ledger.standing(db, self._group)

    def _bury(self, db: Statements) -> None:
        """End the lease of an owner that died."""
        rows = db.rows(
            "SELECT owner, epoch FROM z4j_lease WHERE grp = :g AND expires_ms > {now}",
            {"g": self._group},
        )
        for owner, epoch in rows:
            if self._living.is_dead(owner):
                ledger.release(db, self._group, Lease(owner, epoch, 0.0, 0))

    def _at_home(self, db: Statements, ttl_ms: int) -> None:
        ours = db.rows(
            "INSERT INTO z4j_lease AS l (grp, owner, epoch, expires_ms, fp)"
            " VALUES (:g, :b, 0, {now} + :t, '') ON CONFLICT (grp) DO UPDATE"
            " SET owner = excluded.owner, expires_ms = max(l.expires_ms, excluded.expires_ms)"
            " WHERE l.owner = excluded.owner OR l.expires_ms <= {now} RETURNING 1",
            {"g": _HOST, "b": self._boot, "t": ttl_ms},
        )
        if not ours:
            raise StoreError(
                "the directory was used by another host, or before a restart, just now"
            )

    def _locks(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            raise StoreUnavailable(f"the directory of leases: {error}") from error


def _make_private(directory: str) -> None:
    path = Path(directory)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise StoreError(f"{directory} cannot hold leases: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StoreError(f"{directory} cannot hold leases: others may use it too")


def boot_id() -> str:
    """What names this boot of this host; the host alone where the kernel does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return socket.gethostname()


def _opened(path: str) -> Any:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    os.close(os.open(path, flags, 0o600))
    return sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
