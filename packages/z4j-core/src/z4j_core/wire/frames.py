"""Record types and their bodies. The rule: each type has one row here: direction and reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from enum import IntFlag
from typing import Any, NamedTuple

from .bodies import (
    Abort,
    Ack,
    Beat,
    Close,
    Command,
    Flow,
    Open,
    Pong,
    Register,
    Snapshot,
    Want,
    Welcome,
)
from .codec import pack, unpack
from .codes import (
    MAX_ARRAY,
    MAX_OPEN_SEGMENTS,
    MAX_PARAMS_BYTES,
    MAX_SCHEDULES_ARRAY,
    Fault,
    RecordType,
    fault,
)
from .events import decode_events
from .replication import Lease, Leased, Schedules
from .schema import U16, map_of, read_keys, read_map, read_row, rule_of


class Direction(IntFlag):
    """Who may send a type."""

    TO_BRAIN = 1
    TO_AGENT = 2
    BOTH = 3


class Frame(NamedTuple):
    """One record type. `body` is the class of the body or of its elements."""

    number: RecordType
    direction: Direction
    shape: str
    body: type | None
    read: Callable[[Any], Any]
    deflates: bool = False


def _row(kind: type) -> Callable[[Any], Any]:
    return lambda value: read_row(kind, value)


def _rows(kind: Any, limit: int = MAX_ARRAY) -> Callable[[Any], Any]:
    return rule_of(tuple[kind, ...], limit).check


def _map(kind: type) -> Callable[[Any], Any]:
    return lambda value: read_map(kind, value)


def _command(value: Any) -> Command:
    command = read_row(Command, value)
    if len(pack(command.params)) > MAX_PARAMS_BYTES:
        raise fault(Fault.SIZE, "params: more than 64 KiB")
    return command


_UP, _DOWN, _BOTH = Direction.TO_BRAIN, Direction.TO_AGENT, Direction.BOTH
_T = RecordType

_ROWS = (
    Frame(_T.REGISTER, _UP, "map", Register, _map(Register)),
    Frame(_T.WELCOME, _DOWN, "map", Welcome, _map(Welcome)),
    Frame(_T.OPEN, _UP, "rows", Open, _rows(Open, MAX_OPEN_SEGMENTS)),
    Frame(_T.EVENTS, _UP, "events", None, decode_events, deflates=True),
    Frame(_T.ACK, _DOWN, "row", Ack, _row(Ack)),
    Frame(_T.DONE, _UP, "handles", None, _rows(U16)),
    Frame(_T.COMMAND, _DOWN, "row", Command, _command),
    Frame(_T.ABORT, _DOWN, "row", Abort, _row(Abort)),
    Frame(_T.BEAT, _UP, "row", Beat, _row(Beat)),
    Frame(_T.PONG, _DOWN, "row", Pong, _row(Pong)),
    Frame(_T.FLOW, _DOWN, "row", Flow, _row(Flow)),
    Frame(_T.SNAPSHOT, _UP, "row", Snapshot, _row(Snapshot), deflates=True),
    Frame(_T.WANT, _BOTH, "rows", Want, _rows(Want)),
    Frame(_T.SCHEDULES, _DOWN, "row", Schedules, _row(Schedules)),
    Frame(_T.LEASE, _UP, "row", Lease, _row(Lease)),
    Frame(_T.LEASED, _DOWN, "row", Leased, _row(Leased)),
    Frame(_T.UPDATE, _UP, "keys", Register, lambda value: read_keys(Register, value)),
    Frame(_T.CLOSE, _BOTH, "row", Close, _row(Close)),
)
FRAMES: dict[int, Frame] = {int(frame.number): frame for frame in _ROWS}


def pack_body(body: Any) -> bytes:
    """The body of any record as bytes; a dataclass becomes a map without its nils.

    Raises:
        WireError: Malformed.
    """
    return pack(map_of(body) if dataclasses.is_dataclass(body) else body)


def unpack_body(type_: int, data: bytes) -> Any:
    """The typed body of a record of a known type; None for EVENTS, which `events` reads.

    Raises:
        WireError: Malformed, Depth or Size.
    """
    frame = FRAMES[type_]
    if frame.number is RecordType.EVENTS:
        return None
    many = frame.number is RecordType.SCHEDULES
    return frame.read(unpack(data, max_array=MAX_SCHEDULES_ARRAY if many else MAX_ARRAY))
