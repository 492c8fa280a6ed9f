"""What each record of an agent does. The rule: one row per type, nothing else is accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Raw, Struct
from z4j_core.wire import CloseCode, Received, RecordType
from z4j_core.wire.bodies import Ack, Beat, Close, Flow, Mark, Open, Pong, Register

from ..agents import service
from ..ingest.apply import Outcome
from ..ingest.batch import Batch
from ..ingest.items import BAD, decode_items
from ..ingest.rows import Meta
from .connection import MAX_CREDIT, SCHEDULER, Connection, Segment
from .core import Core
from .deploys import Deploys
from .leasing import Leasing
from .presence import Presence
from .replication import Replication
from .snapshots import Snapshots
from .standing import tell

MAX_UNACKED = 64
BUSY_ITEMS = 50_000
SHORTEST_PAUSE_S = 0.1
_OF_SCHEDULER = frozenset(
    {RecordType.BEAT, RecordType.UPDATE, RecordType.LEASE, RecordType.WANT, RecordType.CLOSE}
)


class _Events(Struct, array_like=True):
    handle: int
    first: int
    age_ms: int
    items: Raw


_EVENTS = msgspec.msgpack.Decoder(_Events)


class Ended(Exception):
    """This session must end with `code`; 0 when the agent said good-bye."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Frames:
    """Carries out the records of agents."""

    def __init__(
        self, core: Core, presence: Presence, snapshots: Snapshots, replication: Replication,
        leasing: Leasing, deploys: Deploys,
    ) -> None:  # fmt: skip
        self._core = core
        self._presence = presence
        self._snapshots = snapshots
        self._replication = replication
        self._leasing = leasing
        self._deploys = deploys
        self._handlers: Mapping[int, Callable[[Connection, Received], Awaitable[None]]] = {
            RecordType.OPEN: self._open,
            RecordType.EVENTS: self._events,
            RecordType.DONE: self._done,
            RecordType.BEAT: self._beat,
            RecordType.SNAPSHOT: self._snapshot,
            RecordType.UPDATE: self._update,
            RecordType.LEASE: self._lease,
            RecordType.WANT: self._want,
            RecordType.CLOSE: self._close,
        }

    async def carry_out(self, connection: Connection, received: Received) -> None:
        """Do what one record asks for.

        Raises:
            Ended: the session is over.
        """
        handler = self._handlers.get(received.type)
        if connection.who.role == SCHEDULER and received.type not in _OF_SCHEDULER:
            raise Ended(CloseCode.REVOKED, "the key of a scheduler may not do that")
        if handler is not None:
            await handler(connection, received)

    async def _open(self, connection: Connection, received: Received) -> None:
        opened: tuple[Open, ...] = received.body
        now_us = self._core.clock.wall_us()
        try:
            marks = await self._core.db.write(
                service.open_segments, connection.who.project_id, connection.who.cred_id,
                [_segment_row(entry) for entry in opened], now_us,
            )  # fmt: skip
        except service.Superseded as error:
            raise Ended(CloseCode.SUPERSEDED, "the stream has a newer owner") from error
        for entry in opened:
            connection.segments[entry.handle] = Segment(
                entry.stream.hex(), entry.klass, entry.segment.hex(), entry.epoch,
                _meta(connection, entry.meta),
            )  # fmt: skip
            await self._presence.adopted(connection, entry.stream.hex(), entry.epoch)
        answer = tuple(Mark(e.handle, mark) for e, mark in zip(opened, marks, strict=True))
        await connection.send(RecordType.ACK, Ack(answer, connection.credit))

    async def _events(self, connection: Connection, received: Received) -> None:
        try:
            body = _EVENTS.decode(received.raw)
            items = decode_items(body.items)
        except BAD as error:
            raise Ended(CloseCode.MALFORMED, "not a batch") from error
        segment = connection.segments.get(body.handle)
        if segment is None:
            raise Ended(CloseCode.GAP, "a handle that is not open")
        connection.unacked += 1
        if connection.unacked > MAX_UNACKED:
            raise Ended(CloseCode.RATE, "more records than credit")
        clock = self._core.clock
        batch = Batch(
            connection.who.project_id, segment.stream, segment.cls, segment.segment,
            segment.epoch, body.first, items, segment.meta, clock.wall_us(),
        )  # fmt: skip
        self._presence.aged(connection, body.age_ms)
        future = self._core.ingest.submit(batch)
        future.add_done_callback(lambda done: self._answer(connection, body.handle, done))
        pause_s = connection.quota.take(len(items), clock.monotonic())
        await self._slow_down(connection, pause_s)

    def _answer(self, connection: Connection, handle: int, done: asyncio.Future[Outcome]) -> None:
        if done.cancelled() or connection.closed.is_set():
            return
        outcome = done.result()
        if outcome.code:
            reason = "the batch was not stored"
            self._presence.spawn(connection.close(outcome.code, reason))
        else:
            connection.ack(handle, outcome.upto)

    async def _slow_down(self, connection: Connection, pause_s: float) -> None:
        backlog = self._core.ingest.backlog
        credit = 1 if backlog > BUSY_ITEMS else MAX_CREDIT
        if pause_s < SHORTEST_PAUSE_S and credit == connection.credit:
            return
        connection.credit = credit
        shed = min(3, backlog // (4 * BUSY_ITEMS))
        await connection.send(RecordType.FLOW, Flow(credit, int(pause_s * 1000), shed))

    async def _done(self, connection: Connection, received: Received) -> None:
        ended = [connection.segments.pop(handle, None) for handle in received.body]
        places = [(one.stream, one.cls, one.segment) for one in ended if one is not None]
        await self._core.db.write(service.end_segments, places, self._core.clock.wall_us())

    async def _beat(self, connection: Connection, received: Received) -> None:
        beat: Beat = received.body
        self._presence.beat(connection, beat)
        now_us = self._core.clock.wall_us()
        await connection.send(RecordType.PONG, Pong(beat.n, beat.mono, None, now_us))
        await self._deploys.reported(connection, beat.inventory)
        wants = self._snapshots.wanted(connection, beat.inventory)
        if wants:
            await connection.send(RecordType.WANT, wants)

    async def _snapshot(self, connection: Connection, received: Received) -> None:
        await self._snapshots.page(connection, received.raw)

    async def _update(self, connection: Connection, received: Received) -> None:
        changed: dict[str, Any] = dict(received.body)
        changed.pop("stream", None)
        changed.pop("epoch", None)
        known = set(Register.__dataclass_fields__)
        role = connection.register.role
        connection.register = replace(
            connection.register, **{name: changed[name] for name in changed if name in known}
        )
        self._replication.told(connection)
        await self._presence.changed(connection)
        if connection.register.role != role:
            await tell(self._core, connection)

    async def _lease(self, connection: Connection, received: Received) -> None:
        self._presence.spawn(self._leasing.asked(connection, received.body))

    async def _want(self, connection: Connection, received: Received) -> None:
        await self._replication.wanted(connection, received.body)

    async def _close(self, connection: Connection, received: Received) -> None:
        close: Close = received.body
        raise Ended(0, close.reason)


def _segment_row(entry: Open) -> dict[str, Any]:
    return {
        "stream": entry.stream.hex(),
        "cls": entry.klass,
        "segment": entry.segment.hex(),
        "epoch": entry.epoch,
        "meta": {
            name: value
            for name, value in entry.meta.items()
            if isinstance(value, (str, int)) and name in {"host", "pid", "role", "boot", "release"}
        },
    }


def _meta(connection: Connection, meta: Mapping[str, Any]) -> Meta:
    register = connection.register

    def text(name: str, fallback: str | None) -> str | None:
        value = meta.get(name, fallback)
        return value if isinstance(value, str) else fallback

    tags = meta.get("tags") or register.tags
    return Meta(
        text("host", register.host),
        text("release", register.release),
        text("environment", register.environment),
        dict(tags) if isinstance(tags, dict) and tags else None,
    )
