"""A lease store as its contract says, in memory. The rule: it does what the scripts of Redis do.

`Books` is what a server holds; a `ModelStore` is one client of it. The mutants of stores are
patches of the small functions below.
"""

from __future__ import annotations

from z4j_core.errors import LeaseLost
from z4j_core.scheduler.lease import (
    MARGIN_MS,
    Claim,
    Lease,
    OpenFire,
    Outcome,
    Refusal,
    RunOf,
    Stand,
)

UNSEEN_MS = 120_000


def fenced(books, lease, now):
    """Whether a write of this lease counts."""
    return books.owner == lease.owner and books.epoch == lease.epoch and books.expires_ms > now


def next_epoch(books, now):
    """The epoch of a new holder: it rises, also after all was lost."""
    return max(books.epoch + 1, now)


def deadline_of(before, _after, ttl_ms):
    """Until when a leader may fire, by the boot clock read before the request."""
    return before + (ttl_ms - MARGIN_MS) / 1000


def outcome_of(stand, fire):
    """What comes of a claim where the cursor stands."""
    if stand is None:
        return Outcome.CLAIMED
    if stand.generation > fire.generation:
        return Outcome.STALE
    if stand.slot_ms >= fire.slot_ms:
        return Outcome.TAKEN
    spent = stand.fires if stand.generation == fire.generation else 0
    if fire.max_fires is not None and spent >= fire.max_fires:
        return Outcome.SPENT
    return Outcome.CLAIMED


def may_start(guard, fire_id, enq):
    """Whether a copy may run: the first, or one of the same attempt."""
    return guard.setdefault(fire_id, enq) == enq


class Books:
    """What the server of one group holds. `now_ms` reads its clock; the others are watched by."""

    def __init__(self, now_ms, led=None, claimed=None):
        self.now_ms = now_ms
        self.led = led or (lambda _owner, _epoch: None)
        self.claimed = claimed or (lambda _lease, _fire: None)
        self.flush()

    def flush(self):
        """Lose everything."""
        self.owner, self.epoch, self.expires_ms, self.fp, self.rev = "", 0, 0, "", ""
        self.cursors, self.open, self.guard = {}, {}, {}
        self.runs, self.ended = {}, set()


class ModelStore:
    """One client. `call(name)` is the way there and back: it may raise, or let time pass."""

    kind, survives_brain = "model", True

    def __init__(self, books, boottime, call=None):
        self.books = books
        self._boottime = boottime
        self._call = call or (lambda _name, work: work())

    def acquire(self, owner, *, ttl_ms, fp, rev):
        before = self._boottime()

        def work():
            books, now = self.books, self.books.now_ms()
            for reason, refused in (
                ("other_broker", books.fp not in {"", fp}),
                ("older_snapshot", books.rev > rev),
                ("held", books.expires_ms > now and books.owner != owner),
            ):
                if refused:
                    return Refusal(reason, books.expires_ms, now, books.rev)
            if books.expires_ms <= now or books.owner != owner:
                books.epoch = next_epoch(books, now)
            books.owner, books.expires_ms, books.fp = owner, now + ttl_ms, fp
            books.led(owner, books.epoch)
            return Lease(owner, books.epoch, 0.0, now, books.rev)

        return self._dated(self._call("acquire", work), before, ttl_ms)

    def is_blank(self):
        return self._call("is_blank", lambda: self.books.epoch == 0)

    def renew(self, lease, *, ttl_ms):
        before = self._boottime()

        def work():
            now = self._fence(lease)
            self.books.expires_ms = now + ttl_ms
            return lease._replace(store_now_ms=now, rev=self.books.rev)

        return self._dated(self._call("renew", work), before, ttl_ms)

    def release(self, lease):
        def work():
            if fenced(self.books, lease, self.books.now_ms()):
                self.books.owner, self.books.expires_ms = "", 0

        self._call("release", work)

    def cursors(self):
        return self._call("cursors", lambda: dict(self.books.cursors))

    def claim(self, lease, fires):
        def work():
            now = self._fence(lease)
            return [self._claim(lease, fire, now) for fire in fires]

        return self._call("claim", work)

    def _claim(self, lease, fire: Claim, now):
        books = self.books
        outcome = outcome_of(books.cursors.get(fire.schedule), fire)
        if outcome is Outcome.CLAIMED:
            old = books.cursors.get(fire.schedule, Stand(fire.generation, 0))
            fires = old.fires + 1 if old.generation == fire.generation else 1
            books.claimed(lease, fire)
            books.cursors[fire.schedule] = old._replace(
                generation=fire.generation, slot_ms=fire.slot_ms, fires=fires
            )
            books.open[fire.fire_id] = OpenFire(
                fire.fire_id, fire.schedule, fire.generation, fire.slot_ms, fire.record,
                "claimed", 1, lease.epoch, now,
            )  # fmt: skip
            return outcome
        held = books.open.get(fire.fire_id)
        ours = held is not None and held.state == "claimed" and held.epoch == lease.epoch
        return Outcome.CLAIMED if ours and outcome is Outcome.TAKEN else outcome

    def settle(self, lease, marks):
        def work():
            self._fence(lease)
            for mark in marks:
                held = self.books.open.get(mark.fire_id)
                if held is None:
                    continue
                if mark.state == "buffered":
                    self.books.open[mark.fire_id] = held._replace(state="buffered", enq=mark.enq)
                else:
                    del self.books.open[mark.fire_id]

        self._call("settle", work)

    def open(self):
        def work():
            return sorted(self.books.open.values(), key=lambda fire: (fire.slot_ms, fire.fire_id))

        return self._call("open", work)

    def first_start(self, fire_id, enq):
        return self._call("guard", lambda: may_start(self.books.guard, fire_id, enq))

    def was_started(self, fire_id):
        return self._call("was_started", lambda: fire_id in self.books.guard)

    def run_started(self, schedule, fire_id, *, started):
        def work():
            now = self.books.now_ms()
            if fire_id in self.books.ended:
                return
            runs = self.books.runs.setdefault(schedule, {})
            old = runs.get(fire_id, RunOf(fire_id, now, now, started))
            runs[fire_id] = old._replace(seen_ms=now, started=old.started or started)

        self._call("run_started", work)

    def run_ended(self, schedule, fire_id, *, failed):
        def work():
            self.books.runs.get(schedule, {}).pop(fire_id, None)
            stand = self.books.cursors.get(schedule, Stand(-1, 0))
            if fire_id not in self.books.ended:
                self.books.ended.add(fire_id)
                failures = stand.failures + 1 if failed else 0
                stand = stand._replace(failures=failures, last="failed" if failed else "success")
                self.books.cursors[schedule] = stand
            return stand.failures

        return self._call("run_ended", work)

    def running(self, schedule):
        def work():
            fresh = self.books.now_ms() - UNSEEN_MS
            runs = self.books.runs.get(schedule, {}).values()
            return sorted(
                (run for run in runs if run.seen_ms > fresh), key=lambda run: run.since_ms
            )

        return self._call("running", work)

    def reset_failures(self, schedule):
        def work():
            stand = self.books.cursors.get(schedule)
            if stand is not None:
                self.books.cursors[schedule] = stand._replace(failures=0)

        self._call("reset_failures", work)

    def wait(self, timeout_s):
        raise AssertionError("a step never waits")

    def wake(self):
        """Nobody waits."""

    def close(self):
        """Nothing is held."""

    def _fence(self, lease):
        now = self.books.now_ms()
        if not fenced(self.books, lease, now):
            raise LeaseLost("somebody else holds it")
        return now

    def _dated(self, found, before, ttl_ms):
        if isinstance(found, Refusal):
            return found
        return found._replace(deadline=deadline_of(before, self._boottime(), ttl_ms))
