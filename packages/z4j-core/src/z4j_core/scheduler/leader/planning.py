"""What a schedule has to do now, and when next. The rule: runs are asked for before one waits.

A store's runs are what workers said; before a slot waits or is left out because of one, the engine
is asked whether it still goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from ...errors import ScheduleInvalid
from ...model.fires import Status, Why
from ..document import decoded
from ..lease import LeaseStore
from ..policy import Cursor, Decision, Run, lower_bound, passed_by, plan
from ..slots import Slot
from .book import Book, Parsed
from .clock import StoreClock
from .contract import Found
from .guarded import Guarded
from .memory import Memory
from .ordinary import UNSURE, Unsure, due_after
from .record import Fire, fire_of
from .steps import Work, steps_of

_HELD_OFF = frozenset({"skip", "buffer", "cancel", "terminate"})


class Planning:
    """Plans one schedule at a time."""

    def __init__(
        self, store: LeaseStore, host: Guarded, book: Book, memory: Memory, clock: StoreClock
    ) -> None:
        self._store = store
        self._host = host
        self._book = book
        self._memory = memory
        self._clock = clock
        self.placed_later: set[str] = set()
        """Fires that are on their way again: no engine knows of them yet."""
        self.watched: set[str] = set()
        """Schedules that wait for a run to end."""
        self._paused: dict[str, bytes] = {}

    def parsed(self, name: str) -> Parsed | None:
        """A schedule as it is planned; None when it is gone, or cannot be planned here."""
        if name not in self._book.rows:
            return None
        try:
            return self._book.parsed(name, self._memory.ended_ms.get(name))
        except ScheduleInvalid:
            return None

    def work(self, name: str, tell: Callable[[Fire, Status, str | None], None]) -> Work:
        """What there is to do for a schedule by now; `tell` hears when it pauses itself.

        Raises:
            ScheduleInvalid: it cannot be planned here.
            StoreUnavailable: its runs are not known.
        """
        data = self._book.rows[name]
        parsed = self._book.parsed(name)
        runs = self._runs(name) if parsed.tracked else []
        if parsed.delayed:
            parsed = self._delayed(name, parsed, runs)
        now = self._clock.now_ms()
        cursor = self._cursor(name, parsed, runs, now)
        decisions = plan(cursor, now, parsed.schedule, runs)
        if runs and any(each.action in _HELD_OFF for each in decisions):
            going = [run for run in runs if self._goes_on(run)]
            if len(going) < len(runs):
                decisions = plan(
                    self._cursor(name, parsed, going, now), now, parsed.schedule, going
                )
        base = _base(parsed)
        for decision in decisions:
            if decision.action == "pause":
                self._pause(name, data, parsed, decision, cursor, tell)
        return Work(name, data, steps_of(decisions, base, self._memory.waiting.get(name, {})))

    def ordinary_due_ms(self, data: bytes) -> int | Unsure | None:
        """The same as `next_due_ms` for most rows, and `UNSURE` for the others."""
        row = decoded(data)
        name = row["id"]
        cursor = self._memory.cursor(name, row["generation"], self._book.seen_ms(name))
        if name in self._paused or cursor.buffered:
            return UNSURE
        since_ms = max(row["effective_ms"], row.get("not_before_ms", 0))
        due_ms = due_after(row, passed_by(cursor, since_ms))
        if due_ms is not UNSURE:
            self.watched.discard(name)
        return due_ms

    def next_due_ms(self, name: str) -> int | None:
        """When a schedule is to be looked at again; None for not before something changes."""
        generation, schedule, delayed = self._book.glanced(name, self._memory.ended_ms.get(name))
        self.watched.discard(name)
        if not schedule.enabled or self._paused.get(name) is self._book.rows[name]:
            return None
        if schedule.paused and schedule.paused_until_ms is None:
            return None
        cursor = self._memory.cursor(name, generation, self._book.seen_ms(name))
        if delayed or cursor.buffered:
            self.watched.add(name)
        if delayed and self._waits_for_run(name, cursor):
            return None
        most = schedule.max_fires
        if most is not None and cursor.fires >= most:
            return None
        after = lower_bound(cursor, schedule)
        return schedule.trigger.next_due_ms(after, name)

    def forget(self, name: str) -> None:
        """A schedule was changed or is gone: what was known of its standing is old."""
        self.watched.discard(name)
        self._paused.pop(name, None)

    def clear(self) -> None:
        """Another leads."""
        self.watched.clear()
        self._paused.clear()

    def _waits_for_run(self, name: str, cursor: Cursor) -> bool:
        return cursor.slot_ms is not None and name not in self._memory.ended_ms

    def _runs(self, name: str) -> list[Run]:
        return [Run(run.fire_id, run.since_ms, run.started) for run in self._store.running(name)]

    def _goes_on(self, run: Run) -> bool:
        if run.fire_id in self.placed_later:
            return True
        return self._host.fetch(run.fire_id) not in (Found.ENDED, Found.ABSENT)

    def _delayed(self, name: str, parsed: Parsed, runs: list[Run]) -> Parsed:
        """With the end of the last run, once none goes on."""
        limit = parsed.replica.definition.rules.overlap_timeout_s * 1000
        now = self._clock.now_ms()
        stand = self._memory.stands.get(name)
        if any(run.started or now - run.since_ms < limit for run in runs):
            self._memory.ended_ms.pop(name, None)
        elif stand is not None and self._memory.ended_ms.get(name, 0) < stand.slot_ms:
            self._memory.ended_ms[name] = now if name in self.watched else stand.slot_ms
        return self._book.parsed(name, self._memory.ended_ms.get(name))

    def _cursor(self, name: str, parsed: Parsed, runs: list[Run], now: int) -> Cursor:
        replica = parsed.replica
        cursor = self._memory.cursor(name, replica.generation, self._book.seen_ms(name))
        resumed = max(replica.not_before_ms, min(replica.paused_until_ms or 0, now))
        if cursor.failures and cursor.slot_ms is not None and resumed > cursor.slot_ms:
            self._store.reset_failures(name)
            self._memory.failed(name, 0)
            cursor = self._memory.cursor(name, replica.generation, self._book.seen_ms(name))
        if not runs:
            return cursor
        return Cursor(
            cursor.slot_ms, cursor.missing, cursor.seen_ms, cursor.buffered, cursor.fires,
            cursor.failures, "open",
        )  # fmt: skip

    def _pause(
        self,
        name: str,
        data: bytes,
        parsed: Parsed,
        decision: Decision,
        cursor: Cursor,
        tell: Callable[[Fire, Status, str | None], None],
    ) -> None:
        """Say that a schedule pauses itself, at the slot that it does not fire."""
        if self._paused.get(name) is data:
            return
        self._paused[name] = data
        slot = parsed.schedule.trigger.next(lower_bound(cursor, parsed.schedule))
        if slot is not None:
            base = _base(parsed)
            fire = fire_of(base.schedule, base.generation, base.revision, slot, Why.TIMER)
            tell(fire, Status.SKIPPED, f"paused: {decision.reason}")


_NOWHERE = Slot(0, "")


def _base(parsed: Parsed) -> Fire:
    """What all fires of a schedule have in common; it is none itself and has no name."""
    replica, most = parsed.replica, parsed.schedule.max_fires
    return Fire(
        replica.id, replica.generation, replica.revision, _NOWHERE, 0, Why.TIMER, "",
        max_fires=most,
    )  # fmt: skip
