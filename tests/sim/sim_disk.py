"""The disk of the simulator: short writes, writes seen half done, time stamps, pages in hand.

The rule: nothing here asks the machine; what a real disk leaves to chance the seed decides.
"""

from __future__ import annotations

import errno
import os
import tempfile

import msgpack
from z4j_core.spool import bound, directory, disk, hand, reader, writer

ROTATE = 1_500
TICK_NS = 4_000_000
SLOTS = 6
MEMORY = "/dev/shm"


def make_home():
    """A directory for the spools of one world: in memory, where nothing waits for a device."""
    home = tempfile.mkdtemp(prefix="z4j-sim-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
    os.mkdir(os.path.join(home, "s"), 0o700)
    return home


class Disk:
    """What writes and looks at directories meet. `short`, `halves`: how often; 0 = never."""

    def __init__(self, world, patch):
        self.world, self.chance, self.clock = world, world.chance, world.clock
        self.is_full = False
        self.short = self.halves = 0.0
        self.torn = 0
        self._busy = set()
        self._stamps = {}
        patch.setattr(disk, "ROTATE_BYTES", ROTATE)
        patch.setattr(writer, "ROTATE_BYTES", ROTATE)
        patch.setattr(writer, "_MOST_BYTES", 2 * ROTATE)
        patch.setattr(reader, "_BLOCK_BYTES", 400)
        patch.setattr(writer, "write", self._write)
        patch.setattr(bound.Bound, "_free_fraction", lambda _: 0.01 if self.is_full else 0.9)
        patch.setattr(directory, "stamp_ns", self._now_ns)
        patch.setattr(directory.StreamFiles, "_modified_ns", lambda one: self._stamp(one.owned))
        patch.setattr(hand, "SLOTS", SLOTS)
        patch.setattr(hand, "_SIZE", SLOTS * hand.SLOT_BYTES)
        patch.setattr(hand, "filesystem_of", lambda _path: "tmpfs")

    def heal(self):
        """From now on there is room, and every write is whole and seen whole."""
        self.is_full, self.short, self.halves = False, 0.0, 0.0

    def _write(self, fd, data):
        """A write that may be cut short, or be seen by a reader while it happens."""
        if os.fstat(fd).st_ino in self._busy:
            raise OSError(errno.ENOSPC, "appends are one after the other")
        if self.short and self.chance.random() < self.short and len(data) > 1:
            self.torn += 1
            return os.write(fd, data[: self.chance.randrange(1, len(data))])
        if self.halves and self.chance.random() < self.halves and len(data) > 1:
            return self._watched(fd, data)
        return os.write(fd, data)

    def _watched(self, fd, data):
        """Everybody looks while only the first part can be seen, but a thread that writes it."""
        cut, ino = self.chance.randrange(1, len(data)), os.fstat(fd).st_ino
        os.write(fd, data[:cut])
        self._busy.add(ino)
        for agent in self.world.alive():
            if agent.sender is not None and not agent.is_at_work:
                agent.sender.hurry()
                self.clock.advance(0.2)
                agent.step()
        self._busy.remove(ino)
        return cut + os.write(fd, data[cut:])

    def _now_ns(self):
        """The tick the kernel is in; odd, so that it is no whole second."""
        return self.clock.wall_us() * 1_000 // TICK_NS * TICK_NS + 1

    def _stamp(self, owned):
        """When the files of a directory changed, in ticks of the kernel."""
        with os.scandir(owned.path) as entries:
            files = sorted((entry.name, entry.inode()) for entry in entries)
        known = self._stamps.get(owned.path)
        if known is None or known[0] != files:
            self._stamps[owned.path] = known = (files, self._now_ns())
        return known[1]


def in_pages(home):
    """The facts in the pages of all streams, of the living and of the dead."""
    streams = os.path.join(home, "s")
    found = [hand.facts_of(os.path.join(streams, name)) for name in sorted(os.listdir(streams))]
    return [body for bodies in found for body in bodies]


def tear_slot(page, body, cut):
    """What a hook leaves behind that is killed while it stores `body` in a free slot."""
    if not page._free:
        return
    at = page._free[-1] * hand.SLOT_BYTES
    text = at + hand._HEAD.size
    page._page[text : text + len(body)] = body[:cut].ljust(len(body), b"\0")
    page._page[at:text] = hand._HEAD.pack(len(body), hand.crc32(body))


def number_of(body):
    """The number of a fact."""
    return msgpack.unpackb(body)[1]
