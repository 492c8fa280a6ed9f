"""The hook's side of a spool: one frame, one `os.write`.

The rule: `append` never raises and never waits; what it could not write it counts, and the count
is written as a LOST item before the next fact.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Sequence
from fcntl import fcntl
from os import write
from zlib import crc32

from ..clock import Clock
from .counts import Counters, Loss
from .files import F_GETSIG, Opened, SegmentFiles
from .forks import remember
from .segment import (
    FRAME_BYTES,
    LOST_DISK_FULL,
    LOST_OVERLOAD,
    MAX_BODY_BYTES,
    frame,
    lost_body,
)

ROTATE_BYTES = 1024 * 1024
# How far a segment may grow while no next one can be made.
_MOST_BYTES = 2 * ROTATE_BYTES
FLAG_BYTES = 4096
_SHED, _FULL = 0, 1
_SUM = struct.Struct(">I").pack
_RETRY_S = 0.1
# Asking for a file's size makes the kernel take a finer and dearer time stamp at the next write,
# so between two full checks the descriptor's tag must do.
_TRUSTED = 31
_SMALL_BYTES = 2_048
_RECHECK_DROPS = 256


class Lane:
    """The open segment of one class. Threads share it without a lock.

    A user of the descriptor pins it first and then looks again whether it is still the current
    one; whoever leaves a retired segment without pins closes it. So no thread can write to a
    number that another one has closed.
    """

    __slots__ = ("_clock", "_files", "_full_at", "_limit", "_lost", "_retired", "_retry_at",
                 "_segment", "_watch", "dropped", "flags", "reopened", "rotations",
                 "why", "written")  # fmt: skip

    def __init__(
        self, files: SegmentFiles, flags: mmap.mmap, clock: Clock, watch: Callable[[], bool]
    ) -> None:
        self._files = files
        self._clock = clock
        self._watch = watch
        self._segment: Opened | None = None
        self._retired: list[Opened] = []
        self._lost: list[Loss] = []
        self._retry_at = 0.0
        self._limit = ROTATE_BYTES
        self.flags = flags
        self._full_at = _FULL + files.cls
        self.why = ""
        self._zero()

    def _zero(self) -> None:
        self.written = self.dropped = self.rotations = self.reopened = 0

    def append(self, body: bytes) -> bool:
        """Write one item; False when it was dropped and counted."""
        segment = self._segment
        if segment is None or self._lost or self.flags[self._full_at]:
            return self._append_slowly(body)
        # From here to the write everything is spelled out: a call costs as much as the checks.
        pins = segment.pins
        pins.append(None)
        try:
            length = len(body)
            if self._segment is segment and (
                fcntl(segment.fd, F_GETSIG) == segment.tag
                if segment.tag and self.written & _TRUSTED and length < _SMALL_BYTES
                else 0 <= segment.size() < self._limit
            ):
                head, seed = segment.heads.get(length) or segment.head(length)
                data = head + _SUM(crc32(body, seed)) + body
                sent = write(segment.fd, data)
                if sent == length + FRAME_BYTES:
                    self.written += 1
                    return True
                return self._torn_write(segment, data[:sent])
        except (OSError, ValueError, MemoryError):
            pass  # nothing was written: the slow way finds out why
        finally:
            pins.pop()
            if segment.is_retired:
                self._close_retired(segment)
        return self._append_slowly(body)

    def append_all(self, bodies: Sequence[bytes]) -> None:
        """Write several items with one call; what does not go that way goes one by one."""
        done = 0
        if len(bodies) > 1 and not self._lost and not self.flags[self._full_at]:
            done = self._append_batch(bodies)
        for body in bodies[done:]:
            self.append(body)

    def _append_batch(self, bodies: Sequence[bytes]) -> int:
        """How many items are dealt with: written, or torn and counted."""
        try:
            segment = self._pinned()
            if segment is None:
                return 0
            try:
                frames, heads = [], segment.heads
                for body in bodies:
                    length = len(body)
                    head, seed = heads.get(length) or segment.head(length)
                    frames.append(head + _SUM(crc32(body, seed)) + body)
                data = b"".join(frames)
                sent = write(segment.fd, data)
                if sent < len(data):
                    return self._sent_of(segment, frames, sent)
                self.written += len(frames)
                return len(frames)
            finally:
                self._unpin(segment)
        except (OSError, ValueError, MemoryError):
            return 0  # nothing was written

    def _sent_of(self, segment: Opened, frames: list[bytes], sent: int) -> int:
        whole = 0
        for each in frames:
            if sent < len(each):
                break
            sent -= len(each)
            whole += 1
        self.written += whole
        if not sent:
            return whole
        self._torn_write(segment, frames[whole][:sent])
        return whole + 1

    def _append_slowly(self, body: bytes) -> bool:
        """Do what comes before a write: see whether there is room, tell losses, open, rotate."""
        try:
            if self.flags[self._full_at] and not self._has_room():
                self.why = "its bound is reached or its disk is full"
                return self._drop(LOST_DISK_FULL)
            if len(body) > MAX_BODY_BYTES:
                self.why = f"more than {MAX_BODY_BYTES} bytes in one event"
                return self._drop(LOST_OVERLOAD)
            if self._lost and not self._settle():
                return self._drop(LOST_DISK_FULL)
            segment = self._pinned()
            if segment is None:
                return self._drop(LOST_OVERLOAD)
            data = frame(body, segment.seed)
            try:
                sent = write(segment.fd, data)
                if sent < len(data):
                    return self._torn_write(segment, data[:sent])
            finally:
                self._unpin(segment)
        except (OSError, ValueError, MemoryError) as error:
            self.why = str(error)
            return self._drop(LOST_DISK_FULL)
        self.written += 1
        return True

    def _unpin(self, segment: Opened) -> None:
        segment.pins.pop()
        self._close_retired(segment)

    def _pinned(self) -> Opened | None:
        """The current segment, pinned and proven to be ours and not full, or None."""
        for _ in range(8):
            segment = self._segment
            if segment is None:
                if not self._open(None):
                    return None
                continue
            segment.pins.append(None)
            if self._segment is segment:
                size = segment.size()
                if 0 <= size < self._limit:
                    return segment
                segment.pins.pop()
                if size < 0:
                    self._forget(segment)
                elif not self._left(segment, size):
                    return None
            else:
                segment.pins.pop()
                self._close_retired(segment)
        return None

    def _open(self, full: Opened | None) -> bool:
        """Make another segment the current one: the one after `full`, or the newest there is."""
        now = self._clock.monotonic()
        if now < self._retry_at:
            return False
        try:
            opened = self._files.next(full)
        except OSError as error:
            self._retry_at, self.why = now + _RETRY_S, str(error)
            return False
        if self._segment is not full:
            opened.close()
            return True
        self._segment, self._limit = opened, ROTATE_BYTES
        if full is None:
            self.reopened += 1
            return True
        self.rotations += 1
        full.is_retired = True
        self._retired.append(full)
        self._close_retired(full)
        self._watch()
        return True

    def _left(self, full: Opened, size: int) -> bool:
        """Rotate, or go on a little in the full segment; False when neither is possible."""
        if self._open(full):
            return True
        self._limit = min(size + 65_536, _MOST_BYTES)
        return size < self._limit

    def _close_retired(self, segment: Opened) -> None:
        if segment.is_retired and not segment.pins:
            segment.close()
            if segment in self._retired:
                self._retired.remove(segment)

    def _forget(self, segment: Opened) -> None:
        """The number is somebody else's by now: do not close it."""
        if self._segment is segment:
            self._segment = None

    def _torn_write(self, segment: Opened, part: bytes) -> bool:
        """Part of a frame is on disk: the reader counts it as one corrupt item.

        Behind torn bytes, ours or a sibling's, it looks like one with them: then it counts here.
        """
        self.why = "No space left for a whole event"
        if not part or not segment.stands_alone(part):
            return self._drop(LOST_DISK_FULL)
        self.dropped += 1
        return False

    def _drop(self, reason: int) -> bool:
        self.dropped += 1
        now = self._clock.wall_us()
        try:
            loss = self._lost.pop()
        except IndexError:
            loss = Loss(reason, 0, now, now)
        if loss.reason != reason:
            self._lost.append(loss)
            loss = Loss(reason, 0, now, now)
        loss.n += 1
        loss.last = now
        self._lost.append(loss)
        return False

    def _settle(self) -> bool:
        """Write what was lost; False while that does not work either."""
        while self._lost:
            try:
                loss = self._lost.pop()
            except IndexError:
                break
            if not self._write_loss(loss):
                self._lost.append(loss)
                return False
        return True

    def _write_loss(self, loss: Loss) -> bool:
        segment = self._pinned()
        if segment is None:
            return False
        body = lost_body(loss.reason, loss.n, 0, loss.first, loss.last)
        data = frame(body, segment.seed)
        try:
            sent = write(segment.fd, data)
            if sent == len(data):
                return True
            if sent and segment.stands_alone(data[:sent]):
                # The reader counts these torn bytes as one lost item: it stands for one of these.
                loss.n -= 1
        except OSError:
            return False
        finally:
            self._unpin(segment)
        return loss.n == 0

    def _has_room(self) -> bool:
        """Ask again now and then whether the spool is still full: its owner may be gone."""
        if self.dropped % _RECHECK_DROPS:
            return False
        return self._watch()

    def settle(self) -> None:
        """Write pending counts now, if that works."""
        try:
            if not self.flags[self._full_at]:
                self._settle()
        except (OSError, ValueError, MemoryError):
            return

    def roll(self) -> None:
        """Leave a full segment also without a write, so that its owner can seal it."""
        segment = self._segment
        if segment is not None and segment.size() >= ROTATE_BYTES:
            pinned = self._pinned()
            if pinned is not None:
                pinned.pins.pop()

    def after_fork(self) -> None:
        """In the child: other threads are gone, and their pins and counts are the parent's."""
        self._zero()
        if self._lost:
            self._lost = []
        for segment in self._retired:
            segment.pins.clear()
            segment.close()
        if self._retired:
            self._retired = []
        if self._segment is not None and self._segment.pins:
            self._segment.pins.clear()

    def close(self) -> None:
        """Let go of the descriptor; a later append opens anew."""
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.is_retired = True
            self._retired.append(segment)
            self._close_retired(segment)


class Writer:
    """Both lanes of one stream. Thread-safe; forked children go on using the inherited one."""

    def __init__(self, facts: Lane, control: Lane) -> None:
        self._facts = facts
        self._control = control
        self.flags = facts.flags
        self.append = facts.append
        self.append_all = facts.append_all
        self.append_control = control.append
        remember(self)

    @property
    def shed(self) -> int:
        """What the brain asked to leave out (0-3); one byte shared with all children."""
        return self.flags[_SHED]

    @property
    def counters(self) -> Counters:
        """Counts of both lanes of this process."""
        a, b = self._facts, self._control
        return Counters(
            a.written + b.written, a.dropped + b.dropped,
            a.rotations + b.rotations, a.reopened + b.reopened, a.why or b.why,
        )  # fmt: skip

    def settle(self) -> None:
        """Write pending counts and leave full segments; called by the owner now and then."""
        for lane in (self._facts, self._control):
            lane.settle()
            lane.roll()

    def after_fork(self) -> None:
        """Reset what only the parent may say; called by the interpreter in a forked child."""
        self._facts.after_fork()
        self._control.after_fork()

    def close(self) -> None:
        """Let go of this process's hold on the stream's segments."""
        self._facts.close()
        self._control.close()
