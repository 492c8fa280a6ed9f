"""The named mutants of delivery, as patches of real code.

The rule: each names the promise it breaks and dies by that one; its own name is the one in the
specification of the wire.
"""

from __future__ import annotations

import os

from sim_promises import (
    ACKED_IS_STORED,
    ANSWERS_FIRST,
    DONE_LAST,
    DRAINS,
    IN_CREDIT,
    KEPT,
    NO_ZOMBIE,
    NOT_INVENTED,
    STORED_ONCE,
    TOLD_ONCE,
)
from z4j_brain.ingest import apply as applying
from z4j_brain.ingest import ledger, loop
from z4j_brain.ingest.batch import Fresh, fresh
from z4j_brain.ingest.items import Poison
from z4j_core.agent import boundary
from z4j_core.agent import sender as sending
from z4j_core.spool import directory, hand, reader, segment, writer

Sender, DiskSegment, Lane = sending.Sender, reader.DiskSegment, writer.Lane
MUTANTS = []


def breaks(promise):
    """A mutant of the simulator, and the promise it must die by."""

    def named(mutant):
        mutant.promise = promise
        MUTANTS.append(mutant)
        return mutant

    return named


@breaks(STORED_ONCE)
def no_dedup(patch):
    def all_new(batch, watermark):
        found = fresh(batch, min(watermark, batch.first - 1))
        return Fresh(found.items, max(watermark, found.upto))

    patch.setattr(applying, "fresh", all_new)


@breaks(KEPT)
def accept_gap(patch):
    patch.setattr(applying, "fresh", lambda b, upto: fresh(b, max(upto, b.first - 1)))


@breaks(ACKED_IS_STORED)
def ack_before_commit(patch):
    commit = loop.Ingest._commit

    async def early(self, taken):
        for batch, answer in taken:
            last = batch.first + len(batch.items) - 1
            answer.set_result(applying.Outcome(last))
        await commit(self, taken)

    patch.setattr(loop.Ingest, "_commit", early)


@breaks(STORED_ONCE)
def watermark_in_second_transaction(patch):
    commit, store = loop.Ingest._commit, ledger.store

    async def twice(self, taken):
        later = []
        with patch.context() as inner:
            inner.setattr(ledger, "store", lambda _conn, *args: later.append(args))
            await commit(self, taken)
        self._db.fate = getattr(self._db, "second_fate", "")
        for args in later:
            await self._db.write(store, *args)

    patch.setattr(loop.Ingest, "_commit", twice)


@breaks(KEPT)
def silent_drop(patch):
    def drop(self, reason):
        self.dropped += 1
        return False

    patch.setattr(Lane, "_drop", drop)


@breaks(KEPT)
def lost_marker_not_durable(patch):
    def evict(self):
        gone = sum(1 for _ in self._items(self.acked))
        os.unlink(self.path)
        self.finished = True
        return gone

    patch.setattr(DiskSegment, "evict", evict)


@breaks(KEPT)
def corrupt_not_counted(patch):
    parse = segment.parse

    def forgiving(*args, **named):
        found = parse(*args, **named)
        kept = [(b, e) for b, e in zip(found.bodies, found.ends, strict=True) if b is not None]
        return segment.Parsed([b for b, _ in kept], [e for _, e in kept], found.is_starved)

    patch.setattr(reader, "parse", forgiving)


@breaks(KEPT)
def resume_from_sent(patch):
    acknowledged, sent = Sender.acknowledged, {}

    def resumed(self, ack):
        for one in self._by_handle.values():
            key = one.segment.segment_id
            one.sent = max(one.sent, sent.get(key, 0))
        acknowledged(self, ack)
        for one in self._by_handle.values():
            sent[one.segment.segment_id] = one.sent

    patch.setattr(Sender, "acknowledged", resumed)


@breaks(NO_ZOMBIE)
def zombie_epoch_accepted(patch):
    load = ledger.load

    def forgetful(conn, batches):
        known = load(conn, batches)
        for position in known.positions.values():
            position.epoch = 0
        return known

    patch.setattr(ledger, "load", forgetful)


@breaks(DRAINS)
def unlink_unsealed(patch):
    def settle(self):
        if not self.finished and self._at[0] and self.acked >= self._at[0]:
            os.unlink(self.path)
            self.finished = True

    patch.setattr(DiskSegment, "settle", settle)


@breaks(DONE_LAST)
def done_before_unlink(patch):
    settle = DiskSegment.settle

    def late(self):
        with patch.context() as inner:
            inner.setattr(reader.os, "unlink", lambda _path: None)
            settle(self)

    patch.setattr(DiskSegment, "settle", late)


def segment_known_by_number(patch):
    seal = DiskSegment.seal

    def by_number(self):
        path = self.path
        if not self.is_sealed and seal(self):
            done = path.replace(".seg", ".done")
            os.rename(self.path, done)
            self.path = done
        return self.is_sealed

    patch.setattr(DiskSegment, "seal", by_number)


@breaks(KEPT)
def short_write_ignored(patch):
    def torn(self, _segment, _part):
        self.written += 1
        return True

    patch.setattr(Lane, "_torn_write", torn)


def short_tail_is_corrupt(patch):
    parse = segment.parse

    def hasty(block, seed, *, is_whole, is_sealed, room=2**31):
        return parse(block, seed, is_whole=is_whole, is_sealed=True, room=room)

    patch.setattr(reader, "parse", hasty)


@breaks(DRAINS)
def late_sibling_dropped(patch):
    def seal(self):
        if not self.is_sealed:
            folder, name = os.path.split(self.path)
            done = os.path.join(folder, f"{name[0]}-{self.segment_id.hex()}.done")
            os.rename(self.path, done)
            self.path, self.is_sealed = done, True
        return True

    patch.setattr(DiskSegment, "seal", seal)


@breaks(DRAINS)
def poison_item_loops(patch):
    def stuck(batch, watermark):
        found = fresh(batch, watermark)
        for index, (offset, item) in enumerate(found.items):
            if isinstance(item, Poison):
                return Fresh(found.items[:index], offset - 1)
        return found

    patch.setattr(applying, "fresh", stuck)


@breaks(IN_CREDIT)
def credit_ignored(patch):
    fill = Sender._fill

    def greedy(self, now, **named):
        credit, self._credit = self._credit, 1_000
        fill(self, now, **named)
        self._credit = credit

    patch.setattr(Sender, "_fill", greedy)


@breaks(TOLD_ONCE)
def torn_marker_counted_twice(patch):
    def write_loss(self, loss):
        one = self._pinned()
        if one is None:
            return False
        body = segment.lost_body(loss.reason, loss.n, 0, loss.first, loss.last)
        data = segment.frame(body, one.seed)
        try:
            return writer.write(one.fd, data) == len(data)
        except OSError:
            return False
        finally:
            self._unpin(one)

    patch.setattr(Lane, "_write_loss", write_loss)


@breaks(ANSWERS_FIRST)
def facts_before_answers(patch):
    def order(self):
        return sorted(self._by_handle.values(), key=lambda one: one.segment.cls)

    patch.setattr(Sender, "_order", order)


@breaks(DRAINS)
def drained_directory_forgotten(patch):
    patch.setattr(directory.StreamFiles, "changed", lambda self: not self.scanned)


@breaks(TOLD_ONCE)
def torn_bytes_remembered(patch):
    last = {}

    def torn(self, segment, _part):
        self.dropped += 1
        if last.get(self) == (segment.ino, self.written):
            self.dropped -= 1
            return self._drop(writer.LOST_DISK_FULL)
        last[self] = segment.ino, self.written
        return False

    patch.setattr(Lane, "_torn_write", torn)


@breaks(DRAINS)
def settled_within_a_tick(patch):
    patch.setattr(directory, "_is_past", lambda *_: True)


@breaks(KEPT)
def hand_not_adopted(patch):
    patch.setattr(hand, "facts_of", lambda _directory: [])


@breaks(STORED_ONCE)
def hand_adopted_twice(patch):
    patch.setattr(hand, "forget", lambda _directory: None)


@breaks(KEPT)
def hand_dropped_before_appended(patch):
    settle = boundary.Emitter.settle

    def hasty(self, *until):
        for page, slot, _ in [*self.in_hand, *(fact for _, fact in self.starting.values())]:
            page.drop(slot)
            page._free.pop()
        settle(self, *until)

    patch.setattr(boundary.Emitter, "settle", hasty)


@breaks(KEPT)
def hand_forgotten_before_appended(patch):
    facts_of = hand.facts_of

    def hasty(directory):
        found = facts_of(directory)
        hand.forget(directory)
        return found

    patch.setattr(hand, "facts_of", hasty)


@breaks(NOT_INVENTED)
def torn_slot_believed(patch):
    patch.setattr(hand, "_fact", lambda data, at: believed(data, at) or None)


def believed(data, at):
    """What a slot says, whatever its checksum is."""
    size, _ = hand._HEAD.unpack_from(data, at)
    text = at + hand._HEAD.size
    return data[text : text + size]
