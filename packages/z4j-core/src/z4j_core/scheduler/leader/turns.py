"""What is due, carried out. The rule: of a schedule one slot is claimed at a time.

So slots of one schedule are placed in their order, and all the fires of a turn are of different
schedules and may be placed at the same time. What a turn cannot finish stays for the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from ...errors import ScheduleInvalid, StoreError
from ...model.fires import Status
from ..lease import LeaseStore, Outcome
from ..slots import utc_slot
from .book import Book, name_of
from .clock import StoreClock
from .guarded import FAILED, Guarded, tried
from .ledger import Ledger
from .memory import Memory
from .ordinary import UNSURE, Unsure
from .placing import Placing
from .planning import Planning
from .record import TELL, WAIT, Fire, start_of
from .steps import Ending, Work
from .tenure import Tenure

T = TypeVar("T")
AT_ONCE = 500
"""Most schedules of one turn."""
LOADED = 500
"""How many schedules are looked at in one turn while all are loaded."""
ENDS_S = 30.0
"""How long a run that was told to end is waited for."""
LOOK_S = 5.0
"""How often runs are looked at that somebody waits for."""
AGAIN_MS = 60_000
"""After how long a schedule is tried again that cannot be planned."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What turns are taken with."""

    store: LeaseStore
    host: Guarded
    tenure: Tenure
    book: Book
    memory: Memory
    ledger: Ledger
    placing: Placing
    planning: Planning
    clock: StoreClock


class Turns:
    """Takes turns with the schedules that are due. Raises LeaseLost and StoreUnavailable."""

    def __init__(self, tools: Tools, release: str) -> None:
        self._store = tools.store
        self._host = tools.host
        self._tenure = tools.tenure
        self._book = tools.book
        self._memory = tools.memory
        self._ledger = tools.ledger
        self._placing = tools.placing
        self._planning = tools.planning
        self._clock = tools.clock
        self._release = release
        self._unloaded: list[bytes] = []
        """Keys, the next one last."""
        self._works: dict[str, Work] = {}
        self._stale: set[str] = set()
        self._asked: set[str] = set()
        """Fires of the last claim, until it is answered."""
        self.doubted: set[str] = set()
        """Fires that may have been claimed: no answer came, and an edit before they were asked for
        again."""
        self._looked = 0.0

    @property
    def unloaded(self) -> int:
        """How many schedules were not looked at since they were changed."""
        return len(self._unloaded)

    def changed(self, touched: Sequence[bytes]) -> None:
        """Plan anew what an edit touched; what waited of a schedule that is gone never runs."""
        rows = self._book.rows
        for key in touched:
            name = name_of(key)
            self._planning.forget(name)
            work = self._works.pop(name, None)
            if work is not None and self._asked:
                steps = [step.id for step in work.steps if isinstance(step, Fire)]
                self.doubted.update(self._asked.intersection(steps))
            self._stale.discard(name)
            if key not in rows.held:
                self._bury(name)
        self._unloaded += [key for key in reversed(touched) if key in rows.held]

    def bury_absent(self) -> None:
        """Settle what waits of schedules that there are not any more."""
        for name in [each for each in self._memory.waiting if each not in self._book.rows]:
            self._bury(name)

    def clear(self) -> None:
        """Another leads."""
        self._works.clear()
        self._unloaded.clear()
        self._stale.clear()
        self._asked.clear()
        self.doubted.clear()

    def turn(self, ended: set[str]) -> bool:
        """Do some of what is due; whether there is more. `ended`: schedules whose run ended."""
        self._load()
        self._look_at_runs(ended)
        self._fill()
        fires: list[tuple[str, Fire]] = []
        for key, work in list(self._works.items()):
            fire = self._advance(work)
            if fire is not None:
                fires.append((key, fire))
            elif not work.awaited:
                self._finish(key)
        if fires:
            self._carry_out(fires)
        self._ledger.settle()
        return bool(fires or self._unloaded)

    def idle_s(self) -> float | None:
        """Seconds until there is something to do; None for nothing."""
        waits = []
        due_ms = self._book.next_due_ms()
        if due_ms is not None:
            waits.append((due_ms - self._clock.now_ms()) / 1000)
        if self._planning.watched or self._works:
            waits.append(self._looked + LOOK_S - self._clock.boottime())
        return min(waits, default=None)

    # ------------------------------------------------------------------ what is due

    def _load(self) -> None:
        part = self._unloaded[: -LOADED - 1 : -1]
        del self._unloaded[-LOADED:]
        for key in part:
            data = self._book.rows.held.get(key)
            if data is None:
                continue
            due_ms = self._ordinary(data)
            if isinstance(due_ms, Unsure):
                name = name_of(key)
                self._start(name)
                self._push(name)
            else:
                self._book.push_key(key, due_ms)

    def _ordinary(self, data: bytes) -> int | Unsure | None:
        """When an ordinary row is due; where that fails the long way says why."""
        found, error = tried(lambda: self._planning.ordinary_due_ms(data))
        return UNSURE if error is not None else cast("int | Unsure | None", found)

    def _start(self, name: str) -> None:
        """Fire what fires once for each release."""
        if not self._release or b'"kind":"on_start"' not in self._book.rows[name]:
            return
        parsed = self._planning.parsed(name)
        if parsed is None or not parsed.schedule.enabled or parsed.schedule.paused:
            return
        replica, slot = parsed.replica, utc_slot(self._clock.now_ms())
        fire = start_of(name, replica.generation, replica.revision, slot, self._release)
        if fire.id not in self._memory.stands:
            self._works[fire.id] = Work(name, self._book.rows[name])
            self._works[fire.id].steps.append(fire)

    def _push(self, name: str) -> None:
        """Let a schedule come up when it is due next."""
        if name in self._stale:
            return
        found = self._tried(name, lambda: (self._planning.next_due_ms(name),))
        if found is not None:
            self._book.push(name, found[0])

    def _look_at_runs(self, ended: set[str]) -> None:
        """Plan those anew that wait for a run, when one ended or it is time to look."""
        now, names = self._clock.boottime(), set(ended)
        if now - self._looked >= LOOK_S:
            self._looked = now
            names |= self._planning.watched
            names |= {work.schedule for work in self._works.values() if work.awaited}
        for name in names & self._planning.watched:
            if name in self._book.rows:
                self._book.push(name, self._clock.now_ms())
        for work in self._works.values():
            if work.awaited and work.schedule in names:
                going = {run.fire_id for run in self._store.running(work.schedule)}
                work.awaited &= going if now < work.until else set()

    def _fill(self) -> None:
        """Plan what is due, as far as there is room."""
        room = AT_ONCE - sum(not work.awaited for work in self._works.values())
        due = [
            name
            for name in self._book.pop_due(self._clock.now_ms(), room)
            if name not in self._works
        ]
        try:
            if any(_counts_ends(self._book.rows[name]) for name in due):
                self._memory.refresh(self._store.cursors())
            for name in due:
                work = self._tried(name, lambda: self._planning.work(name, self._ledger.tell))  # noqa: B023
                if work is not None:
                    self._works[name] = work
        except StoreError:
            for name in due:
                if name not in self._works:
                    self._book.push(name, self._clock.now_ms())
            raise

    def _tried(self, name: str, call: Callable[[], T]) -> T | None:
        """What a call about a schedule gives; None, and another try later, where it fails."""
        value, error = tried(call)
        if isinstance(error, StoreError):
            raise error
        if isinstance(error, ScheduleInvalid):
            self._host.trouble(name, error.code, f"schedule {name}: {error}")
            self._stale.add(name)
            self._book.push(name, None)
        elif error is not None:
            self._host.trouble(name, FAILED, f"schedule {name}: {error!r}")
            self._book.push(name, self._clock.now_ms() + AGAIN_MS)
        return cast("T | None", value)

    # ------------------------------------------------------------------ what is done

    def _advance(self, work: Work) -> Fire | None:
        """The next fire of a schedule; what comes before it is done."""
        while work.steps and not work.awaited:
            step = work.steps[0]
            if isinstance(step, Fire) and (step.kind != TELL or step.claims_cursor):
                return step
            work.steps.popleft()
            if isinstance(step, Fire):
                self._ledger.tell(step, step.status, step.reason)
                if step.since_ms:
                    self._ledger.mark(step, "dropped")
                    self._forget_waiting(step)
                else:
                    self._memory.passed(step)
                continue
            work.awaited = self._end_runs(step, work)
            work.until = self._clock.boottime() + ENDS_S
        return None

    def _end_runs(self, first: Ending, work: Work) -> set[str]:
        endings = [first]
        while work.steps and isinstance(step := work.steps[0], Ending):
            work.steps.popleft()
            endings.append(step)
        for ending in endings:
            self._host.end(ending.fire_id, ending.how)
        return {ending.fire_id for ending in endings}

    def _carry_out(self, fires: list[tuple[str, Fire]]) -> None:
        """Claim and place fires of different schedules."""
        fresh = [(key, fire) for key, fire in fires if fire.needs_claim][:AT_ONCE]
        waited = [(key, fire) for key, fire in fires if not fire.needs_claim]
        self._placing.number([fire for _, fire in waited])
        ready = []
        for key, fire in waited:
            self._works[key].steps.popleft()
            self._forget_waiting(fire)
            ready.append(fire)
        if fresh:
            claims = [fire.claim() for _, fire in fresh]
            self._asked = {fire.id for _, fire in fresh}
            outcomes = self._store.claim(self._tenure.held(), claims)
            self._asked.clear()
            for (key, fire), outcome in zip(fresh, outcomes, strict=True):
                self._works[key].steps.popleft()
                if self._is_placed(key, fire, outcome):
                    ready.append(fire)
        self._placing.place(ready)
        for key, _ in fires:
            if key in self._works and not self._works[key].steps:
                self._finish(key)

    def _is_placed(self, key: str, fire: Fire, outcome: Outcome) -> bool:
        """Note what came of a claim; whether the fire is to be placed now."""
        if outcome is Outcome.CLAIMED:
            return self._claimed(fire)
        if outcome is Outcome.STALE:
            self._stale.add(key)
            self._works.pop(key, None)
            return False
        if outcome is Outcome.SPENT:
            self._ledger.tell(fire, Status.SKIPPED, "max_fires")
            self._memory.spent(fire)
        self._memory.passed(fire)
        return False

    def _claimed(self, fire: Fire) -> bool:
        fire.since_ms = self._clock.now_ms()
        self._memory.claimed(fire)
        if fire.kind == TELL:
            self._ledger.tell(fire, fire.status, fire.reason)
            self._ledger.mark(fire, "dropped")
            return False
        if fire.kind == WAIT:
            fire.renumber = True
            self._memory.waiting.setdefault(fire.schedule, {})[fire.slot.at_ms] = fire
            self._ledger.tell(fire, Status.BUFFERED, fire.reason)
            self._ledger.mark(fire, "buffered")
            return False
        fire.enq = 1
        self._ledger.tell(fire, Status.CLAIMED)
        return True

    def _finish(self, key: str) -> None:
        work = self._works.pop(key)
        if key == work.schedule and key in self._book.rows:
            self._push(key)

    def _forget_waiting(self, fire: Fire) -> None:
        waiting = self._memory.waiting.get(fire.schedule, {})
        waiting.pop(fire.slot.at_ms, None)
        if not waiting:
            self._memory.waiting.pop(fire.schedule, None)

    def _bury(self, name: str) -> None:
        for fire in self._memory.waiting.pop(name, {}).values():
            self._ledger.tell(fire, Status.SKIPPED, "deleted")
            self._ledger.mark(fire, "dropped")


def _counts_ends(row: bytes) -> bool:
    """Whether how runs ended decides about the next one."""
    return b'"pause_after_failures":' in row or b'"require_last_success":' in row
