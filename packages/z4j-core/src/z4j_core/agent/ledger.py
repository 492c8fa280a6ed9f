"""FIRE items: lines of the ledger of fires. The rule: a line says no more than is known here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..model.fires import Status, Why
from ..wire.items import Fire, Tag
from .items import Source, trimmed

UNKNOWN = bytes(16)
"""The schedule of a fire of which only the id is known."""


def fire_line(source: Source, at_us: int, fire_id: str, status: Status, **known: Any) -> Any:
    """A FIRE item, `known` its other fields; what is unknown is zero or none."""
    blank = Fire(
        tag=int(Tag.FIRE), at=at_us, engine=source.engine, app=source.app, schedule=UNKNOWN,
        generation=0, slot=0, nonce=None, fire_id=UUID(fire_id).bytes, status=int(status),
        trigger=int(Why.TIMER), epoch=0, revision=0, due=at_us, lag_ms=0, enq=1, count_=1,
        slot_local="", fold=0,
    )  # fmt: skip
    return trimmed(blank._replace(**known))


def suppressed_line(source: Source, at_us: int, fire_id: str, enq: int) -> Any:
    """A worker dropped a second copy of a fire: of which, and which attempt to enqueue it was."""
    return fire_line(source, at_us, fire_id, Status.SUPPRESSED, enq=min(enq, 0xFFFF))
