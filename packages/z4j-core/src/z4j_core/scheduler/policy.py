"""What becomes of slots. The rule: every slot up to now fires, waits, or is told with a reason.

`plan` is a function of what it is given: the cursor, the time, the schedule and the runs that go
on. It counts no further than a bound, however long nobody looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .overlap import Fate, allowed
from .rules import Rules
from .slots import Slot
from .trigger import Due, Trigger

COUNTED = 10_000
"""How many slots one call fires, and to how many it counts what was missed."""


class Schedule(NamedTuple):
    """What `plan` asks of a schedule.

    No slot is looked at that is not later than `effective_ms` (of the generation), `not_before_ms`
    (of enabling or resuming) and the cursor.
    """

    id: str
    trigger: Trigger
    rules: Rules
    effective_ms: int
    not_before_ms: int = 0
    enabled: bool = True
    paused: bool = False
    paused_until_ms: int | None = None
    max_fires: int | None = None


class Cursor(NamedTuple):
    """How far a schedule has come.

    `slot_ms` is where it stands, None for never; where the store lost it, `missing` is true and
    `seen_ms` holds what others remember. `buffered` are slots claimed and waiting, oldest first.
    `failures` counts ends in failure in a row, `last` is how the last fire ended: `success`,
    `failed`, `open`, or "" for none.
    """

    slot_ms: int | None = None
    missing: bool = False
    seen_ms: tuple[int, ...] = ()
    buffered: tuple[Slot, ...] = ()
    fires: int = 0
    failures: int = 0
    last: str = ""


class Run(NamedTuple):
    """A fire that was sent and has not ended."""

    fire_id: str
    since_ms: int
    started: bool = True


class Decision(NamedTuple):
    """One thing to do, or to write down.

    `action` is `fire`, `buffer`, `skip`, `missed`, `expire`, `cancel`, `terminate`, `pause`,
    `resume` or `spent`; `reason` says why. `missed` covers `slots` slots from `slot` to `last_ms`,
    and is `more` where counting stopped. `cancel` and `terminate` are for the run `fire_id`, before
    the fire behind them.
    """

    action: str
    slot: Slot | None = None
    due_ms: int = 0
    reason: str = ""
    last_ms: int = 0
    slots: int = 0
    more: bool = False
    fire_id: str = ""


def passed_by(cursor: Cursor, since_ms: int) -> int:
    """How far a schedule that counts from a time has come, whatever holds it."""
    found = since_ms if cursor.slot_ms is None else max(since_ms, cursor.slot_ms)
    return max(found, *cursor.seen_ms) if cursor.missing and cursor.seen_ms else found


def lower_bound(cursor: Cursor, schedule: Schedule) -> int:
    """Slots up to here are settled."""
    found = passed_by(cursor, max(schedule.effective_ms, schedule.not_before_ms))
    if schedule.paused and schedule.paused_until_ms is not None:
        found = max(found, schedule.paused_until_ms)
    return found


def settled(cursor: Cursor, decisions: Sequence[Decision]) -> int | None:
    """Where the cursor stands once decisions are carried out."""
    ends = [max(d.slot.at_ms, d.last_ms) for d in decisions if d.slot is not None]
    if cursor.slot_ms is not None:
        ends.append(cursor.slot_ms)
    return max(ends, default=None)


def plan(
    cursor: Cursor, now_ms: int, schedule: Schedule, running: Sequence[Run] = ()
) -> list[Decision]:
    """What to do now, oldest slot first."""
    standing = _standing(cursor, now_ms, schedule)
    if standing is not None:
        return standing
    rules = schedule.rules
    said = [Decision("resume", reason="until")] if schedule.paused else []
    after = lower_bound(cursor, schedule)
    on_time, missed_to = _on_time(schedule, after, now_ms)
    chosen: list[Slot] = []
    if missed_to is not None:
        chosen = _chosen(schedule, after, missed_to, now_ms) if _catches_up(rules, on_time) else []
        said += _missed(schedule.trigger, after, missed_to, chosen)
    wanted = [Fate(slot, now_ms, "catchup", slot.at_ms) for slot in chosen]
    wanted += [Fate(due.slot, due.due_ms, "due", due.due_ms) for due in on_time]
    fires = [fate for fate in wanted if not _too_late(fate, rules, now_ms)]
    said += [Decision("expire", f.slot, reason="late") for f in wanted if f not in fires]
    return said + _within(fires, cursor, schedule, [r for r in running if _lives(r, rules, now_ms)])


def _standing(cursor: Cursor, now_ms: int, schedule: Schedule) -> list[Decision] | None:
    """What is decided before any slot is looked at; None to look."""
    rules, until = schedule.rules, schedule.paused_until_ms
    if not schedule.enabled:
        return []
    if schedule.paused and (until is None or now_ms < until):
        return []
    limit = rules.pause_after_failures
    if limit is not None and cursor.failures >= limit:
        return [Decision("pause", reason=f"{cursor.failures} failures in a row")]
    if _left(cursor, schedule) == 0 and not cursor.buffered:
        return [Decision("spent", reason="max_fires")]
    return None


def _left(cursor: Cursor, schedule: Schedule) -> int | None:
    """How many fires `max_fires` leaves; None for any number."""
    return None if schedule.max_fires is None else max(schedule.max_fires - cursor.fires, 0)


def _lives(run: Run, rules: Rules, now_ms: int) -> bool:
    """Whether a run still counts: one that never started does so for a while."""
    return run.started or now_ms - run.since_ms < rules.overlap_timeout_s * 1000


# ------------------------------------------------------------------------------ which slots


def _on_time(schedule: Schedule, after_ms: int, now_ms: int) -> tuple[list[Due], int | None]:
    """What is due and within the grace, and the last slot that is later than that.

    A slot is due before the next one begins, so only the last slot before the grace can be due
    within it.
    """
    trigger = schedule.trigger
    grace = now_ms - schedule.rules.grace_s * 1000
    missed = trigger.prev(min(grace, now_ms + 1))
    start = grace - 1
    if missed is not None and trigger.due_ms(missed, schedule.id) >= grace:
        start = missed.at_ms - 1
        missed = trigger.prev(missed.at_ms)
    found: list[Due] = []
    for due in trigger.dues(max(start, after_ms), schedule.id):
        if due.due_ms > now_ms or len(found) >= COUNTED:
            break
        found.append(due)
    return found, None if missed is None or missed.at_ms <= after_ms else missed.at_ms


def _catches_up(rules: Rules, on_time: Sequence[Due]) -> bool:
    """Whether anything that was missed fires: one that is on time stands for a single one."""
    return rules.catchup == "fire_all" or (rules.catchup == "fire_one" and not on_time)


def _chosen(schedule: Schedule, after_ms: int, missed_to: int, now_ms: int) -> list[Slot]:
    """Which of the slots that were missed fire, oldest first."""
    rules, trigger = schedule.rules, schedule.trigger
    low = max(after_ms, now_ms - rules.catchup_window_s * 1000 - 1)
    if rules.catchup == "fire_one" and rules.catchup_pick == "earliest":
        slot = trigger.next(low)
        return [slot] if slot is not None and slot.at_ms <= missed_to else []
    most = 1 if rules.catchup == "fire_one" else rules.catchup_max
    found: list[Slot] = []
    slot = trigger.prev(missed_to + 1)
    while slot is not None and slot.at_ms > low and len(found) < most:
        found.append(slot)
        slot = trigger.prev(slot.at_ms)
    return found[::-1]


def _missed(
    trigger: Trigger, after_ms: int, missed_to: int, chosen: Sequence[Slot]
) -> list[Decision]:
    """One row for all that was missed and does not fire."""
    slots = trigger.between(after_ms, missed_to, COUNTED + len(chosen) + 1)
    lost = [slot for slot in slots if slot not in chosen]
    if not lost:
        return []
    more = len(slots) > COUNTED + len(chosen)
    last: Slot | None = lost[-1]
    if more:
        last = trigger.prev(missed_to + 1)
        while last is not None and last in chosen:
            last = trigger.prev(last.at_ms)
    assert last is not None
    slots_lost = min(len(lost), COUNTED)
    return [
        Decision("missed", lost[0], reason="late", last_ms=last.at_ms, slots=slots_lost, more=more)
    ]


def _too_late(fate: Fate, rules: Rules, now_ms: int) -> bool:
    limit = rules.expires_after_s
    return limit is not None and now_ms - fate.since_ms > limit * 1000


# ------------------------------------------------------------------------------ which may run


def _within(
    fires: list[Fate], cursor: Cursor, schedule: Schedule, running: list[Run]
) -> list[Decision]:
    """Fires held against `max_fires`, the last success and the runs that go on."""
    rules = schedule.rules
    is_held = cursor.buffered or rules.require_last_success or schedule.max_fires is not None
    if rules.overlap == "allow" and not is_held:
        return [Decision("fire", f.slot, f.due_ms, f.reason) for f in fires]
    left = _left(cursor, schedule)
    spent = [] if left is None else fires[left:]
    fires = fires if left is None else fires[:left]
    said: list[Decision] = []
    if rules.require_last_success:
        free = 0 if cursor.last in ("failed", "open") or cursor.buffered else 1
        said += [Decision("skip", fate.slot, reason="dependency") for fate in fires[free:]]
        fires = fires[:free]
    queue = [Fate(slot, slot.at_ms, "buffered", slot.at_ms) for slot in cursor.buffered] + fires
    oldest_first = [run.fire_id for run in sorted(running, key=lambda run: run.since_ms)]
    verdict = allowed(queue, oldest_first, rules)
    verb = "cancel" if rules.overlap == "cancel_other" else "terminate"
    said += [Decision("skip", fate.slot, reason="overlap") for fate in verdict.skipped]
    said += [Decision("skip", fate.slot, reason="max_fires") for fate in spent]
    said += [Decision("fire", f.slot, f.due_ms, f.reason) for f in verdict.fired]
    said += [
        Decision("buffer", f.slot, f.due_ms, "overlap")
        for f in verdict.buffered
        if f.reason != "buffered"
    ]
    said.sort(key=lambda decision: decision.slot.at_ms if decision.slot else 0)
    first = next((n for n, decision in enumerate(said) if decision.action == "fire"), len(said))
    ended = [Decision(verb, reason="overlap", fire_id=fire_id) for fire_id in verdict.ended]
    return said[:first] + ended + said[first:]
