"""A spool on a file system: the own stream, and those of owners that died.

The rule: everything here but the writer belongs to the sender's thread; only the holder of a
stream's lock seals, evicts or unlinks.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..clock import Clock, SystemClock
from . import hand
from . import stream as streams
from .bound import Bound
from .contract import AdoptedStream, SpoolSettings, Usage
from .directory import StreamFiles
from .files import SegmentFiles
from .reader import DiskSegment
from .roots import SHM_MAX_BYTES, Root, Storage
from .segment import LOST_CORRUPT, lost_body
from .writer import ROTATE_BYTES, Lane, Writer

_SHED = 0


class DiskSpool:
    """The owner's side of one stream directory and of those it adopted."""

    def __init__(
        self, root: Root, home: str, own: streams.Stream, bound: Bound, writer: Writer, clock: Clock
    ) -> None:
        self.storage: Storage = root.storage
        self.note = root.note
        self.home = home
        self.path = own.path
        self.stream = own.id
        self.epoch = own.epoch
        self.writer = writer
        self.journal_path = own.file(streams.JOURNAL)
        self.hand = hand.open_hand(own.path)
        self._own = own
        self._bound = bound
        self._clock = clock
        self._flags = writer.flags
        self._streams = [StreamFiles(own, is_own=True)]
        self._synced: dict[bytes, int] = {}
        self._waiting: dict[bytes, float] = {}
        self._lost = 0
        self._evicted = 0

    @property
    def is_owner(self) -> bool:
        """False in a forked child and once the lock file was taken away or replaced."""
        return self._own.is_ours

    def scan(self) -> Sequence[DiskSegment]:
        """Segments with something to send or to finish: class 1 first, then oldest first."""
        self.writer.settle()
        found: list[DiskSegment] = []
        for files in list(self._streams):
            found += files.scan(self._count_unreadable)
            if not files.is_own and files.is_drained():
                files.owned.remove()
                self._streams.remove(files)
        self._note_waiting(found)
        return sorted(found, key=lambda segment: (-segment.cls, segment.header.t))

    def changed(self) -> bool:
        """Whether files came or went; one system call a stream."""
        return any(files.changed() for files in self._streams)

    def grew(self) -> bool:
        """Whether there is anything a scan or a read has not seen; a few system calls."""
        return self.changed() or any(segment.grew() for segment in self._segments())

    def sync(self) -> None:
        """Force grown segments to the disk; a host that loses power then loses only the rest."""
        for segment in self._segments():
            size = segment.measure()
            if segment.is_sealed or self._synced.get(segment.segment_id) == size:
                continue
            with contextlib.suppress(OSError):
                segment.sync()
                self._synced[segment.segment_id] = size

    def evict(self) -> None:
        """Keep the bound: give up the oldest sealed segments, tell the writers if that fails."""
        for cls in (0, 1):
            excess = self._bound.excess(cls)
            for segment in sorted(self._segments(), key=lambda segment: segment.header.t):
                if excess <= 0:
                    break
                if segment.cls == cls and not segment.is_evicted:
                    excess -= self._give_up(segment)
        for files in self._streams:
            flags = self._flags if files.is_own else self._flags_of(files)
            self._bound.publish(flags)

    def _give_up(self, segment: DiskSegment) -> int:
        """Evict a segment that nobody writes to any more; bytes that are free now.

        Its last writer may have gone without leaving a trace in the directory: so it is sealed
        here too, not only by a scan.
        """
        with contextlib.suppress(OSError):
            if not segment.seal():
                return 0
            before = segment.measure()
            segment.settle()
            if segment.finished:
                return before
            self._evicted += segment.evict()
            return before - segment.measure()
        return 0

    def _flags_of(self, files: StreamFiles) -> Any:
        return streams.shared_flags(files.owned.file(streams.FLAGS))

    def usage(self) -> Usage:
        """Figures of the own and adopted streams."""
        segments = self._segments()
        now = self._clock.monotonic()
        self._note_waiting(segments)
        return Usage(
            bytes=sum(segment.measure() for segment in segments),
            segments=len(segments),
            lost=self._lost + sum(segment.lost for segment in segments),
            evicted=self._evicted,
            oldest_age_s=now - min(self._waiting.values(), default=now),
        )

    def adopt(self) -> list[AdoptedStream]:
        """Take over streams whose owner is gone; read their journals before the next scan."""
        adopted = []
        parent = os.path.dirname(self.path)
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(parent)):
                owned = streams.adopt(os.path.join(parent, name)) if name[0] != "." else None
                if owned is not None:
                    self._streams.append(StreamFiles(owned, is_own=False))
                    adopted.append(_told(owned))
                    self._take_in_hand(owned.path)
        return adopted

    def advise(self, shed: int) -> None:
        """Publish how much to shed (0-3) to this process and its children."""
        self._flags[_SHED] = shed

    def close(self, *, offline: bool) -> None:
        """Let go: what is not stored by the brain is adopted by whoever comes next."""
        self.writer.settle()
        self.writer.close()
        if not self._own.is_ours:
            self._own.release()
            return
        if offline:
            with contextlib.suppress(OSError):
                self._own.say_offline()
        for files in self._streams:
            files.scan(self._count_unreadable)
            if files.is_drained() and not os.path.exists(files.owned.file(streams.JOURNAL)):
                files.owned.remove()
            else:
                files.owned.release()

    def _take_in_hand(self, path: str) -> None:
        """Append what a dead owner had in hand; a brain takes a fact told twice once."""
        for body in hand.facts_of(path):
            self.writer.append(body)
        hand.forget(path)

    def _segments(self) -> list[DiskSegment]:
        return [segment for files in self._streams for segment in files.segments()]

    def _count_unreadable(self, items: int) -> None:
        self._lost += items
        self.writer.append(lost_body(LOST_CORRUPT, items))

    def _note_waiting(self, segments: Sequence[DiskSegment]) -> None:
        """Since when each segment holds something the brain has not stored."""
        now = self._clock.monotonic()
        waiting = {segment.segment_id for segment in segments if segment.has_unacked}
        self._waiting = {key: self._waiting.get(key, now) for key in waiting}


def _told(owned: streams.Stream) -> AdoptedStream:
    return AdoptedStream(
        stream=owned.id,
        epoch=owned.epoch,
        path=owned.path,
        journal_path=owned.file(streams.JOURNAL),
        was_offline=owned.was_offline,
        meta=streams.read_meta(owned.path),
    )


def open_disk(
    root: Root,
    home: str,
    settings: SpoolSettings,
    meta: Mapping[str, Any],
    clock: Clock,
    entropy: Callable[[int], bytes],
) -> DiskSpool:
    """A new stream under `home`.

    Raises:
        OSError: nothing was left behind.
    """
    parent = os.path.join(home, "s")
    limits = (settings.max_bytes, settings.max_control_bytes)
    if root.is_small:
        limits = (min(limits[0], SHM_MAX_BYTES), min(limits[1], SHM_MAX_BYTES // 8))
    bound = Bound(parent, limits)
    own = streams.create(parent, meta, limits, entropy)
    writer = _writer(own.path, own.id, meta, bound, clock, entropy)
    return DiskSpool(root, home, own, bound, writer, clock)


def _writer(
    path: str,
    stream: bytes,
    meta: Mapping[str, Any],
    bound: Bound,
    clock: Clock,
    entropy: Callable[[int], bytes],
) -> Writer:
    flags = streams.shared_flags(os.path.join(path, streams.FLAGS))
    lanes = []
    for cls in (0, 1):
        files = SegmentFiles(path, stream, cls, meta, clock, entropy, ROTATE_BYTES)

        def has_room(cls: int = cls) -> bool:
            return not bound.publish(flags)[cls]

        lanes.append(Lane(files, flags, clock, has_room))
    return Writer(lanes[0], lanes[1])


def attach_child(path: str, clock: Clock | None = None) -> Writer:
    """A writer for a spawned child of the owner whose `Spool.path` this is.

    It never raises: where nothing can be opened everything is dropped and counted.
    """
    try:
        stream = bytes.fromhex(os.path.basename(path))
    except ValueError:
        stream = b""
    limits = streams.read_limits(path)
    bound = Bound(os.path.dirname(path), limits)
    meta = streams.read_meta(path)
    return _writer(path, stream, meta, bound, clock or SystemClock(), os.urandom)
