"""The named mutants of delivery, as patches of real code.

The rule: one broken promise each; the name is the one in the specification of the wire.
"""

from __future__ import annotations

import os

from z4j_brain.ingest import apply as applying
from z4j_brain.ingest import ledger, loop
from z4j_brain.ingest.batch import Fresh, fresh
from z4j_brain.ingest.items import Poison
from z4j_core.agent import sender as sending
from z4j_core.spool import directory, reader, segment, writer

Sender, DiskSegment, Lane = sending.Sender, reader.DiskSegment, writer.Lane


def no_dedup(patch):
    def all_new(batch, watermark):
        found = fresh(batch, min(watermark, batch.first - 1))
        return Fresh(found.items, max(watermark, found.upto))

    patch.setattr(applying, "fresh", all_new)


def accept_gap(patch):
    patch.setattr(applying, "fresh", lambda b, upto: fresh(b, max(upto, b.first - 1)))


def ack_before_commit(patch):
    commit = loop.Ingest._commit

    async def early(self, taken):
        for batch, answer in taken:
            last = batch.first + len(batch.items) - 1
            answer.set_result(applying.Outcome(last))
        await commit(self, taken)

    patch.setattr(loop.Ingest, "_commit", early)


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


def silent_drop(patch):
    def drop(self, reason):
        self.dropped += 1
        return False

    patch.setattr(Lane, "_drop", drop)


def lost_marker_not_durable(patch):
    def evict(self):
        gone = sum(1 for _ in self._items(self.acked))
        os.unlink(self.path)
        self.finished = True
        return gone

    patch.setattr(DiskSegment, "evict", evict)


def corrupt_not_counted(patch):
    parse = segment.parse

    def forgiving(*args, **named):
        found = parse(*args, **named)
        kept = [(b, e) for b, e in zip(found.bodies, found.ends, strict=True) if b is not None]
        return segment.Parsed([b for b, _ in kept], [e for _, e in kept], found.is_starved)

    patch.setattr(reader, "parse", forgiving)


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


def zombie_epoch_accepted(patch):
    load = ledger.load

    def forgetful(conn, batches):
        known = load(conn, batches)
        for position in known.positions.values():
            position.epoch = 0
        return known

    patch.setattr(ledger, "load", forgetful)


def unlink_unsealed(patch):
    def settle(self):
        if not self.finished and self._at[0] and self.acked >= self._at[0]:
            os.unlink(self.path)
            self.finished = True

    patch.setattr(DiskSegment, "settle", settle)


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


def short_write_ignored(patch):
    def torn(self):
        self.written += 1
        return True

    patch.setattr(Lane, "_torn_write", torn)


def short_tail_is_corrupt(patch):
    parse = segment.parse

    def hasty(block, seed, *, is_whole, is_sealed, room=2**31):
        return parse(block, seed, is_whole=is_whole, is_sealed=True, room=room)

    patch.setattr(reader, "parse", hasty)


def late_sibling_dropped(patch):
    def seal(self):
        if not self.is_sealed:
            folder, name = os.path.split(self.path)
            done = os.path.join(folder, f"{name[0]}-{self.segment_id.hex()}.done")
            os.rename(self.path, done)
            self.path, self.is_sealed = done, True
        return True

    patch.setattr(DiskSegment, "seal", seal)


def poison_item_loops(patch):
    def stuck(batch, watermark):
        found = fresh(batch, watermark)
        for index, (offset, item) in enumerate(found.items):
            if isinstance(item, Poison):
                return Fresh(found.items[:index], offset - 1)
        return found

    patch.setattr(applying, "fresh", stuck)


def credit_ignored(patch):
    fill = Sender._fill

    def greedy(self, now, **named):
        credit, self._credit = self._credit, 1_000
        fill(self, now, **named)
        self._credit = credit

    patch.setattr(Sender, "_fill", greedy)


def torn_marker_counted_twice(patch):
    def write_loss(self, loss):
        one = self._pinned()
        if one is None:
            return False
        body = segment.lost_body(loss.reason, loss.n, 0, loss.first, loss.last)
        try:
            return self._write(one, segment.frame(body, one.seed))
        except OSError:
            return False

    patch.setattr(Lane, "_write_loss", write_loss)


def facts_before_answers(patch):
    def order(self):
        return sorted(self._by_handle.values(), key=lambda one: one.segment.cls)

    patch.setattr(Sender, "_order", order)


def drained_directory_forgotten(patch):
    patch.setattr(directory.StreamFiles, "changed", lambda self: not self.scanned)


MUTANTS = [
    no_dedup, accept_gap, ack_before_commit, watermark_in_second_transaction, silent_drop,
    lost_marker_not_durable, corrupt_not_counted, resume_from_sent, zombie_epoch_accepted,
    unlink_unsealed, done_before_unlink, short_write_ignored,
    short_tail_is_corrupt, late_sibling_dropped, poison_item_loops, credit_ignored,
    torn_marker_counted_twice, facts_before_answers,
    drained_directory_forgotten,
]  # fmt: skip
