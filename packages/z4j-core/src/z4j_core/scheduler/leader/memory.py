"""How far schedules have come, as this process remembers. The rule: a cursor never falls.

What the store says is joined with what this process saw itself, so that a store that lost writes in
a failover does not make a slot fire again.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from ..lease import Stand
from ..policy import Cursor
from .journal import Journal
from .record import Fire


class Memory:
    """Stands by schedule; fires that are claimed and wait for runs to end."""

    def __init__(self, journal: Journal) -> None:
        self.stands: dict[str, Stand] = {}
        self.waiting: dict[str, dict[int, Fire]] = {}
        self.ended_ms: dict[str, int] = {}
        self._journal = journal

    def begin(self, found: Mapping[str, Stand]) -> None:
        """Take what the store knows when a tenure begins."""
        self.waiting.clear()
        self.ended_ms.clear()
        for name, slot_ms in self._journal.read().items():
            self.pass_slot(name, slot_ms)
        before, self.stands = self.stands, dict(found)
        for name, stand in before.items():
            now = self.stands.get(name)
            if now is None or (now.generation, now.slot_ms) < (stand.generation, stand.slot_ms):
                self.stands[name] = stand

    def refresh(self, found: Mapping[str, Stand]) -> None:
        """Take failures and last ends, as runs have ended meanwhile."""
        for name, stand in found.items():
            mine = self.stands.get(name)
            if mine is not None:
                self.stands[name] = mine._replace(failures=stand.failures, last=stand.last)

    def claimed(self, fire: Fire) -> None:
        """A slot was claimed."""
        if fire.nonce is not None:
            self.stands[fire.id] = Stand(0, 0, 1)
            return
        stand = self.stands.get(fire.schedule)
        same = stand is not None and stand.generation == fire.generation
        fires = stand.fires + 1 if stand is not None and same else 1
        self._stand(fire.schedule, fire.generation, fire.cursor_ms, fires)
        self._journal.note(fire.schedule, fire.cursor_ms)

    def passed(self, fire: Fire) -> None:
        """A slot is settled without a claim of ours."""
        stand = self.stands.get(fire.schedule)
        same = stand is not None and stand.generation == fire.generation
        fires = stand.fires if stand is not None and same else 0
        self._stand(fire.schedule, fire.generation, fire.cursor_ms, fires)

    def spent(self, fire: Fire) -> None:
        """The store counts as many fires as there may be."""
        stand = self.stands.get(fire.schedule, Stand(fire.generation, fire.cursor_ms))
        self.stands[fire.schedule] = stand._replace(
            generation=fire.generation, fires=fire.max_fires or stand.fires
        )

    def failed(self, name: str, failures: int) -> None:
        """So many runs failed in a row."""
        stand = self.stands.get(name)
        if stand is not None:
            self.stands[name] = stand._replace(failures=failures)

    def pass_slot(self, name: str, slot_ms: int) -> None:
        """Slots up to here were fired, whatever the generation."""
        stand = self.stands.get(name, Stand(-1, slot_ms))
        self.stands[name] = stand._replace(slot_ms=max(stand.slot_ms, slot_ms))

    def told(self, last_slots: Mapping[bytes, tuple[int, int]]) -> None:
        """Slots that the brain was told of passed, also where this store did not see them.

        So it is for a group that was fired from another store meanwhile.
        """
        for key, (_, slot_ms) in last_slots.items():
            name = str(UUID(bytes=key))
            if name in self.stands:
                self.pass_slot(name, slot_ms)

    def cursor(self, name: str, generation: int, seen_ms: tuple[int, ...]) -> Cursor:
        """Where a schedule stands, for `plan`."""
        stand = self.stands.get(name)
        held = self.waiting.get(name)
        waiting = tuple(fire.slot for _, fire in sorted(held.items())) if held else ()
        if stand is None:
            return Cursor(missing=True, seen_ms=seen_ms, buffered=waiting)
        return Cursor(
            stand.slot_ms, stand.generation < 0, seen_ms, waiting,
            stand.fires if stand.generation == generation else 0, stand.failures, stand.last,
        )  # fmt: skip

    def _stand(self, name: str, generation: int, slot_ms: int, fires: int) -> None:
        old = self.stands.get(name)
        if old is None:
            self.stands[name] = Stand(generation, slot_ms, fires)
            return
        self.stands[name] = old._replace(
            generation=generation, slot_ms=max(slot_ms, old.slot_ms), fires=fires
        )
