"""The named mutants of schedules, as patches of real code or of the model of a store.

The rule: each names the promise it breaks and dies by that one.
"""

from __future__ import annotations

import sched_broker
from model_store import Outcome
from sched_promises import (
    BELIEVED,
    BOUNDED,
    CLAIMED_BY_HOLDER,
    EPOCHS_RISE,
    EXPLAINED,
    FENCED,
    LEADS,
    NO_OLDER,
    NOT_EARLY,
    REDELIVERED,
    RUNS_ONCE,
)
from z4j_core.scheduler import policy
from z4j_core.scheduler.leader import clock, leader, placing, tenure, turns
from z4j_core.scheduler.lease import MARGIN_MS

MUTANTS = []


def breaks(promise):
    """A mutant, and the promise it must die by."""

    def named(mutant):
        mutant.promise = promise
        MUTANTS.append(mutant)
        return mutant

    return named


@breaks(CLAIMED_BY_HOLDER)
def claim_without_fence(patch):
    patch.setattr("model_store.fenced", lambda *_: True)


@breaks(BELIEVED)
def deadline_from_the_reply(patch):
    def late(_before, after, ttl_ms):
        return after + (ttl_ms - MARGIN_MS) / 1000

    patch.setattr("model_store.deadline_of", late)


@breaks(FENCED)
def check_per_batch(patch):
    def unchecked(self, item):
        fire, definition = item
        return self._host.place(placing.job_of(fire, definition), fire.enq, 1.5)

    patch.setattr(placing.Placing, "_attempt", unchecked)


@breaks(NOT_EARLY)
def wall_clock(patch):
    patch.setattr(clock.StoreClock, "now_ms", lambda self: self._clock.wall_us() // 1000)


@breaks(NO_OLDER)
def cursor_without_generation(patch):
    def by_slot(stand, fire):
        taken = stand is not None and stand.slot_ms >= fire.slot_ms
        return Outcome.TAKEN if taken else Outcome.CLAIMED

    patch.setattr("model_store.outcome_of", by_slot)


@breaks(REDELIVERED)
def guard_blocks_the_same_attempt(patch):
    def once(guard, fire_id, enq):
        first = fire_id not in guard
        guard[fire_id] = enq
        return first

    patch.setattr(sched_broker, "may_start", once)


@breaks(EPOCHS_RISE)
def epoch_reset(patch):
    patch.setattr("model_store.next_epoch", lambda books, _now: books.epoch + 1)


@breaks(BOUNDED)
def unbounded_catch_up(patch):
    def all_of_them(schedule, after_ms, missed_to, _now_ms):
        return schedule.trigger.between(after_ms, missed_to, 1_000)

    patch.setattr(policy, "_chosen", all_of_them)


@breaks(LEADS)
def step_down_exits(patch):
    step_down = leader.Leader._step_down

    def for_good(self):
        step_down(self)
        self._campaign = lambda: leader.Pause(None)

    patch.setattr(leader.Leader, "_step_down", for_good)


@breaks(RUNS_ONCE)
def second_attempt_has_the_number_of_the_first(patch):
    def same(self, fires):
        for fire in fires:
            fire.enq = max(fire.enq, 1)

    patch.setattr(placing.Placing, "number", same)


@breaks(EXPLAINED)
def open_fires_are_not_recovered(patch):
    patch.setattr(leader.Leader, "_recover", lambda _self, _opened: None)


@breaks(EXPLAINED)
def settled_before_it_is_placed(patch):
    place = placing.Placing.place

    def early(self, fires):
        for fire in fires:
            self._ledger.mark(fire, "sent")
        self._ledger.settle()
        place(self, fires)

    patch.setattr(placing.Placing, "place", early)


@breaks(EXPLAINED)
def in_doubt_is_dropped(patch):
    def drop(self, fire, at, *, in_doubt):
        return None

    patch.setattr(placing.Placing, "look_later", drop)


@breaks(EXPLAINED)
def skipped_slot_is_not_told(patch):
    def silent(self, work):
        while work.steps and work.steps[0].kind == turns.TELL if work.steps else False:
            self._memory.passed(work.steps.popleft())
        return advance(self, work)

    advance = turns.Turns._advance
    patch.setattr(turns.Turns, "_advance", silent)


@breaks(FENCED)
def lost_lease_is_held_on_to(patch):
    def keep(self):
        lease = self.lease
        return 1.5 if lease is not None else 0.0

    patch.setattr(tenure.Tenure, "left_s", property(keep))
