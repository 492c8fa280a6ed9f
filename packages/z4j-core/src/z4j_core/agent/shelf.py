"""The schedules of one group as this process holds them. The rule: newer and proven, or not at all.

They come from the brain page by page, from the lease store, or from the file that the last process
on this host left. Whatever is taken is written to that file before anybody fires by it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..config import Settings, read_dsn
from ..errors import ConfigError, StoreError
from ..scheduler.snapshot import Gap, Snapshot, Unproven, applied, prove, read, written
from ..wire.replication import Schedules
from .items import Source

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class Verdict(NamedTuple):
    """What came of a page: there is a newer snapshot now, or all must be asked for."""

    is_new: bool = False
    wants_all: bool = False


class Shelf:
    """What is held of one group; any thread may look and offer.

    `path` None: nothing is kept on disk. `tell` hears of what was not believed, as a code and a
    text.
    """

    def __init__(
        self,
        source: Source,
        settings: Settings,
        path: Path | None,
        tell: Callable[[str, str], object],
    ) -> None:
        self.held: Snapshot | None = None
        self.listeners: list[Callable[[], object]] = []
        """Called, by whichever thread, after a newer snapshot was taken."""
        self._source = source
        self._settings = settings
        self._path = path
        self._tell = tell
        self._parts: list[Schedules] = []
        self._stamp = (0, 0)
        self._lock = threading.Lock()

    @property
    def stand(self) -> tuple[int, int]:
        """Era and revision of what is held; (0, 0) for nothing."""
        held = self.held
        return held.stand if held is not None else (0, 0)

    @property
    def count(self) -> int:
        """How many schedules there are."""
        held = self.held
        return len(held.schedules) if held is not None else 0

    def refresh(self) -> None:
        """Read what another process of this host, or the last one, kept since the last look."""
        stamp = self._stamped()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        found = self._kept()
        if found is not None:
            self._offer(found, keep=False)

    def _stamped(self) -> tuple[int, int]:
        """What changes whenever the file does; zeros for none."""
        try:
            status = self._path.stat() if self._path is not None else None
        except OSError:
            status = None
        return (status.st_ino, status.st_mtime_ns) if status is not None else (0, 0)

    def _kept(self) -> Snapshot | None:
        """What the file holds, nothing proven yet; None for none that can be read."""
        assert self._path is not None
        try:
            return read(self._path.read_bytes())
        except OSError:
            return None
        except Unproven as error:
            self._tell(error.code, f"{error}: {self._path}")
            return None

    def take(self, page: Schedules) -> Verdict:
        """Take a page; once all pages of a change are there, put them into a copy of what is held.

        Nothing is used that is older, has a hole, or is not proven; then the last good one stays.
        """
        if not self._follows(page):
            self._parts = []
        if page.page == len(self._parts):
            self._parts.append(page)
        if len(self._parts) < page.pages:
            return Verdict()
        parts, self._parts = self._parts, []
        try:
            found = applied(self.held, self._project, parts)
        except Gap:
            return Verdict(wants_all=True)
        except StoreError:
            return Verdict()
        is_new = self.offer(found)
        return Verdict(is_new, wants_all=not is_new and bool(page.from_))

    def offer(self, found: Snapshot) -> bool:
        """Take a snapshot if it is newer and proven; whether it was taken."""
        return self._offer(found, keep=True)

    def _offer(self, found: Snapshot, *, keep: bool) -> bool:
        with self._lock:
            if found.stand <= self.stand and not self._tells_more(found):
                return False
            try:
                dsn = read_dsn(self._settings)
                assert dsn is not None
                prove(found, dsn.credential, (dsn.project, self._source.engine, self._source.app))
            except (ConfigError, Unproven) as error:
                self._tell("Z4J-E304", str(error))
                return False
            self.held = found
            if keep:
                self._keep(found)
        for listener in list(self.listeners):
            listener()
        return True

    def _tells_more(self, found: Snapshot) -> bool:
        """Whether it is what is held, and schedules have come further by it."""
        held = self.held
        if held is None or found.stand != held.stand:
            return False
        before = held.last_slots
        return any(stand > before.get(key, (-1, 0)) for key, stand in found.last_slots.items())

    def heard(self) -> None:
        """Note that the brain is there: what is held is as good as new."""
        if self._path is not None and self.held is not None:
            with contextlib.suppress(OSError):
                self._path.with_suffix(".heard").touch(mode=0o600)

    def silent_s(self, wall_us: int) -> float:
        """Seconds since the brain was there last, as far as the directory tells; 0 else."""
        if self._path is None:
            return 0.0
        times = []
        for suffix in (".bin", ".heard"):
            with contextlib.suppress(OSError):
                times.append(self._path.with_suffix(suffix).stat().st_mtime)
        return max(0.0, wall_us / 1e6 - max(times)) if times else 0.0

    @property
    def _project(self) -> str:
        dsn = self._settings.dsn
        return dsn.project if dsn is not None else ""

    def _follows(self, page: Schedules) -> bool:
        if not self._parts:
            return page.page == 0
        last = self._parts[-1]
        return page.page == last.page + 1 and page.body_sha == last.body_sha

    def _keep(self, found: Snapshot) -> None:
        """Write it to a temporary file, then in the place of the last one."""
        if self._path is None:
            return
        temp = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            fd = os.open(temp, _FLAGS, 0o600)
            with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(written(found))
                file.flush()
                os.fsync(fd)
            temp.rename(self._path)
            self._stamp = self._stamped()
        except OSError as error:
            with contextlib.suppress(OSError):
                temp.unlink()
            self._tell("Z4J-E123", f"the schedules are not kept on disk: {error}")
