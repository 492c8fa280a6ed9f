"""From commits to open pages. The rule: rows are read once per project, however many tabs look.

commit -> changed refs of the project -> every 250 ms: one read -> each Watch judged once
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ..db import Database, is_trouble
from .contract import Change, Sources
from .watch import RESET, Look, Stream, Watch, encode

_log = logging.getLogger("z4j.live")
TICK_S = 0.25
COUNT_EVERY_S = 2.0
SHOW_EVERY_S = 1.0
LAG_EVERY_S = 2.0
RING_S = 60.0
RESEND_S = 2.0
MAX_ROWS = 500


@dataclass(slots=True)
class Room:
    """One project with somebody looking, and what changed since the last tick."""

    watches: dict[Look, Watch] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    bulks: set[str] = field(default_factory=set)
    schedules: set[str] = field(default_factory=set)
    ring: deque[tuple[int, float, tuple[str, ...]]] = field(default_factory=deque)
    stirred: bool = False
    lag_at: float = 0.0


class Turn(NamedTuple):
    """What one tick has to tell: changed rows, bulks, watches whose page is due, the lag."""

    refs: list[str]
    bulks: list[str]
    schedules: list[str]
    due: list[Watch]
    lag: bool


class Hub:
    """All open streams of this process. Everything runs in the event loop but the reads."""

    def __init__(
        self, db: Database, sources: Sources, monotonic: Callable[[], float], boot: str
    ) -> None:
        self._db = db
        self._sources = sources
        self._monotonic = monotonic
        self._boot = boot
        self._rooms: dict[str, Room] = {}
        self._position = 0

    @property
    def watermark(self) -> str:
        """The newest commit, as an event id."""
        return f"{self._boot}-{self._position}"

    def committed(self, position: int, changes: Iterable[Change]) -> None:
        """Note one commit; call it in the event loop after the commit."""
        self._position = max(self._position, position)
        for change in changes:
            room = self._rooms.get(change.project_id)
            if room is None:
                continue
            refs = dict(change.changed)
            for ref in refs:
                room.changed.pop(ref, None)
            room.changed.update(refs)
            room.bulks.update(change.bulks)
            room.schedules.update(change.schedules)
            room.stirred = True
            now = self._monotonic()
            room.ring.append((position, now, tuple(refs)))
            while room.ring and now - room.ring[0][1] > RING_S:
                room.ring.popleft()

    def bulk_changed(self, project_id: str, bulk_id: str) -> None:
        """Show a bulk to everybody who looks at its project."""
        room = self._rooms.get(project_id)
        if room is not None:
            room.bulks.add(bulk_id)

    def schedules_changed(self, project_id: str, ids: Iterable[str]) -> None:
        """Show schedules to everybody who looks at those of their project."""
        room = self._rooms.get(project_id)
        if room is not None:
            room.schedules.update(ids)

    def revoked(self, session: str) -> None:
        """End the streams of a session."""
        for stream in self._streams():
            if stream.session == session:
                stream.close()

    def sessions(self) -> set[str]:
        """Sessions with an open stream."""
        return {stream.session for stream in self._streams()}

    def close(self) -> None:
        """End every stream."""
        for stream in self._streams():
            stream.close()

    def open(self, look: Look, session: str, last_id: str = "") -> Stream:
        """Start a stream; call `leave` when it is over.

        Raises: what the API answers to a query that cannot be meant.
        """
        room = self._rooms.setdefault(look.project_id, Room())
        watch = room.watches.get(look)
        if watch is None:
            watch = Watch(look, node=self._sources.parsed(look))
            room.watches[look] = watch
        stream = Stream(session)
        watch.streams.add(stream)
        watch.dirty = True
        hello = {"watermark": self.watermark, "hz": round(1 / TICK_S)}
        stream.put(encode("hello", hello, self.watermark))
        if last_id:
            self._resume(room, stream, last_id)
        return stream

    def leave(self, look: Look, stream: Stream) -> None:
        """Forget a stream; the last one takes watch and room with it."""
        room = self._rooms.get(look.project_id)
        watch = room.watches.get(look) if room else None
        if room is None or watch is None:
            return
        watch.streams.discard(stream)
        if not watch.streams:
            del room.watches[look]
        if not room.watches:
            del self._rooms[look.project_id]

    def _resume(self, room: Room, stream: Stream, last_id: str) -> None:
        boot, _, text = last_id.rpartition("-")
        position = int(text) if text.isascii() and text.isdigit() else -1
        known = [at for number, at, _ in room.ring if number <= position]
        if boot != self._boot or position < 0 or (not known and position != self._position):
            stream.put(encode(RESET, {"reason": "too long ago"}))
            return
        since = max(known, default=self._monotonic()) - RESEND_S
        for _number, at, refs in room.ring:
            if at >= since:
                room.changed.update(dict.fromkeys(refs, 0))

    def _streams(self) -> list[Stream]:
        return [
            stream
            for room in self._rooms.values()
            for watch in room.watches.values()
            for stream in watch.streams
        ]

    async def run(self) -> None:
        """Tick for ever; a database that is away is tried again at the next tick."""
        while True:
            await asyncio.sleep(TICK_S)
            for project_id, room in list(self._rooms.items()):
                try:
                    await self.tick(project_id, room)
                except DBAPIError as error:
                    if not is_trouble(error):
                        _log.warning("live pages wait for the database: %s", error.orig)

    async def tick(self, project_id: str, room: Room) -> None:
        """Tell every watch of one project what changed since the last tick."""
        now = self._monotonic()
        changed, room.changed = room.changed, {}
        bulks, room.bulks = room.bulks, set()
        schedules, room.schedules = room.schedules, set()
        stirred, room.stirred = room.stirred, False
        for watch in room.watches.values():
            watch.dirty = watch.dirty or stirred
        work = [watch for watch in room.watches.values() if self._due(watch, now)]
        lag = now - room.lag_at >= LAG_EVERY_S
        if not (changed or bulks or schedules or work or lag):
            return
        if lag:
            room.lag_at = now
        told_of = sorted(schedules)[:MAX_ROWS]
        turn = Turn(list(changed)[-MAX_ROWS:], sorted(bulks), told_of, work, lag=lag)
        watches = list(room.watches.values())
        told = await self._db.read(self._look, project_id, watches, turn)
        for watch, events in told:
            for name, value in events:
                watch.put(encode(name, value, self.watermark))

    def _due(self, watch: Watch, now: float) -> bool:
        pause = COUNT_EVERY_S if watch.look.view == "tasks" else SHOW_EVERY_S
        if not watch.dirty or now - watch.shown_at < pause:
            return False
        watch.shown_at = now
        watch.dirty = False
        return True

    def _look(
        self, conn: Connection, project_id: str, watches: list[Watch], turn: Turn
    ) -> list[tuple[Watch, list[tuple[str, Any]]]]:
        rows = self._sources.rows(conn, project_id, turn.refs) if turn.refs else []
        general: list[tuple[str, Any]] = [
            ("bulk", self._sources.bulk(conn, project_id, bulk_id)) for bulk_id in turn.bulks
        ]
        if turn.lag:
            general.append(("lag", self._sources.lag(conn, project_id)))
        told = []
        for watch in watches:
            events = list(general)
            if watch.look.view == "tasks" and rows:
                events += self._rows_event(watch, rows)
            if watch.look.view == "schedules" and turn.schedules:
                shown = self._sources.schedules(conn, watch.look, turn.schedules)
                events.append(("schedules", shown))
            if watch in turn.due:
                events += self._page_events(conn, watch)
            if events:
                told.append((watch, events))
        return told

    def _rows_event(self, watch: Watch, rows: list[Mapping[str, Any]]) -> list[tuple[str, Any]]:
        up, new, gone = [], [], []
        for row, fits in zip(rows, self._sources.fits(watch.look, watch.node, rows), strict=True):
            if not fits:
                gone.append(row["ref"])
                watch.sent.pop(row["ref"], None)
            elif watch.sent.get(row["ref"]) != row["v"]:
                shown = self._sources.shown(row, args_visible=watch.look.args_visible)
                if watch.remember(row["ref"], row["v"]):
                    up.append([row["ref"], row["v"], shown])
                else:
                    new.append(shown)
        return [("rows", {"up": up, "new": new, "gone": gone})] if up or new or gone else []

    def _page_events(self, conn: Connection, watch: Watch) -> list[tuple[str, Any]]:
        if watch.look.view == "tasks":
            return [("num", self._sources.counts(conn, watch.look, watch.node))]
        page = self._sources.page(conn, watch.look)
        return [page] if page else []
