"""Watermarks and what was lost. The rule: per stream, stored + lost accounts for every offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from ..agents.model import lost_facts, notes, quarantine, stream_owners, streams
from ..db.upsert import upsert
from .batch import Batch
from .items import Note, Poison
from .rollup import MINUTE_US

Place = tuple[str, int, str]


@dataclass(slots=True)
class Position:
    """How far one segment is stored; the counters hold what this transaction adds."""

    project_id: str
    epoch: int
    watermark: int
    stored: int = 0
    lost: int = 0
    quarantined: int = 0
    unknown: int = 0


class Streams:
    """Positions of the segments of one transaction."""

    def __init__(self) -> None:
        self.positions: dict[Place, Position] = {}
        self.poison: list[dict[str, object]] = []

    def position(self, batch: Batch) -> Position:
        """Where the segment of `batch` stands."""
        return self.positions[batch.place]

    def quarantine(self, batch: Batch, offset: int, item: Poison) -> None:
        """Keep what could not be read; counted as lost."""
        self.positions[batch.place].quarantined += 1
        self.poison.append(
            {
                "stream": batch.stream,
                "segment": batch.segment,
                "pos": offset,
                "project_id": batch.project_id,
                "at": batch.received_us,
                "reason": item.reason,
                "body": item.body,
            }
        )


def load(conn: Connection, batches: Sequence[Batch]) -> Streams:
    """Positions as stored; a stream's epoch is the highest anybody opened it with."""
    known = Streams()
    names = sorted({batch.stream for batch in batches})
    owned = select(stream_owners.c.stream, stream_owners.c.epoch)
    found = conn.execute(owned.where(stream_owners.c.stream.in_(names)))
    epochs: dict[str, int] = {row[0]: row[1] for row in found}
    segments = sorted({batch.segment for batch in batches})
    marks = {
        (stream, cls, segment): watermark
        for stream, cls, segment, watermark in conn.execute(
            select(streams.c.stream, streams.c.cls, streams.c.segment, streams.c.watermark).where(
                streams.c.stream.in_(names), streams.c.segment.in_(segments)
            )
        )
    }
    for batch in batches:
        known.positions[batch.place] = Position(
            batch.project_id, epochs.get(batch.stream, 0), marks.get(batch.place, 0)
        )
    return known


def store(conn: Connection, known: Streams, now_us: int) -> None:
    """Write new watermarks and counters."""
    rows = [
        {
            "stream": stream,
            "cls": cls,
            "segment": segment,
            "project_id": position.project_id,
            "cred_id": "",
            "epoch": position.epoch,
            "watermark": position.watermark,
            "stored": position.stored,
            "lost": position.lost,
            "quarantined": position.quarantined,
            "unknown": position.unknown,
            "opened": now_us,
            "touched": now_us,
        }
        for (stream, cls, segment), position in sorted(known.positions.items())
    ]
    upsert(
        conn,
        streams,
        rows,
        keep=("project_id", "cred_id", "opened"),
        add=("stored", "lost", "quarantined", "unknown"),
    )
    upsert(conn, quarantine, known.poison[:100])


def store_lost(conn: Connection, project_id: str, lost: Mapping[int, int], now_us: int) -> None:
    """Count lost facts of a project by minute and reason."""
    minute = now_us // MINUTE_US
    rows = [
        {"project_id": project_id, "minute": minute, "reason": reason, "n": n}
        for reason, n in sorted(lost.items())
    ]
    upsert(conn, lost_facts, rows, add=("n",))


def store_notes(conn: Connection, project_id: str, items: Sequence[tuple[Note, str]]) -> None:
    """Keep what agents want an operator to read."""
    conn.execute(
        insert(notes),
        [
            {
                "project_id": project_id,
                "stream": stream,
                "at": note.at,
                "level": note.level,
                "code": note.code,
                "text": note.text.text,
                "engine": note.engine,
                "app": note.app,
            }
            for note, stream in items
        ],
    )
