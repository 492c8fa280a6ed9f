"""What `z4j top` shows, as lines. The rule: pure; a line is never wider than the terminal.

What tasks and queues are called is spelt out by `plain`: nothing here moves a cursor.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from z4j_core.cli.words import plain, span

Row = Mapping[str, Any]
BOLD, DIM, RED, YELLOW, GREEN = "1", "2", "31", "33", "32"
GAP = 2
MOST_FAILING = 5
LEAST_ROWS = 3
_BAR = 8
_BAD_PCT = 5.0
_MS = 1_000
_TONES = {
    "online": GREEN, "draining": YELLOW, "stalled": YELLOW, "not_answering": YELLOW,
    "offline": RED, "died": RED,
}  # fmt: skip


class Cell(NamedTuple):
    """A text in a column and its colour (SGR), if any."""

    text: str
    tone: str = ""


class Column(NamedTuple):
    """A head; the lowest `keep` goes first for want of room. `least`: it may be cut to this."""

    head: str
    keep: int
    right: bool = True
    least: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """How much room there is and whether colours may be used."""

    width: int = 80
    height: int = 24
    colour: bool = False


@dataclass(slots=True)
class Seen:
    """What the brain said last. `late_s`: for how long it has not answered since."""

    where: str
    now: Row = field(default_factory=dict)
    queues: Sequence[Row] = ()
    workers: Sequence[Row] = ()
    at_ms: int = 0
    late_s: int = 0


def width_of(text: str) -> int:
    """Cells a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def fit(text: str, width: int) -> str:
    """`text` in at most `width` cells, its cut end marked."""
    if width_of(text) <= width:
        return text
    kept, room = "", max(0, width - 1)
    for char in text:
        if width_of(kept + char) > room:
            break
        kept += char
    return f"{kept}…" if width > 0 else ""


def paint(text: str, tone: str, look: Look) -> str:
    """`text` in a colour, where colours may be used."""
    return f"\x1b[{tone}m{text}\x1b[0m" if tone and look.colour else text


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], look: Look) -> list[str]:
    """Rows under their heads; what matters least is left out until the rest fits."""
    wanted = [
        max(width_of(column.head), *(width_of(row[at].text) for row in rows))
        for at, column in enumerate(columns)
    ]
    widths = [min(want, column.least or want) for want, column in zip(wanted, columns, strict=True)]
    shown = list(range(len(columns)))
    while (room := _room(widths, shown, look)) < 0 and len(shown) > 1:
        shown.remove(min(shown, key=lambda at: columns[at].keep))
    for at in shown:
        more = max(min(wanted[at] - widths[at], room), 1 - widths[at])
        widths[at] += more
        room -= more
    heads = [Cell(column.head, DIM) for column in columns]
    return [
        _line([(columns[at], row[at], widths[at]) for at in shown], look) for row in (heads, *rows)
    ]


def _room(widths: Sequence[int], shown: Sequence[int], look: Look) -> int:
    return look.width - sum(widths[at] for at in shown) - GAP * (len(shown) - 1)


def _line(cells: Sequence[tuple[Column, Cell, int]], look: Look) -> str:
    parts = []
    for column, cell, width in cells:
        text = fit(cell.text, width)
        blank = " " * (width - width_of(text))
        painted = paint(text, cell.tone, look)
        parts.append(blank + painted if column.right else painted + blank)
    return (" " * GAP).join(parts).rstrip()


QUEUES = (
    Column("QUEUE", 9, right=False, least=14), Column("ENGINE", 1, right=False), Column("DEPTH", 8),
    Column("OLDEST", 6), Column("IN/S", 4), Column("OUT/S", 5), Column("DRAIN", 3),
    Column("BUSY", 2, right=False),
)  # fmt: skip
FAILING = (
    Column("FAILING", 9, right=False, least=14), Column("FAILED", 8), Column("OF", 4),
    Column("RATE", 6), Column("LAST", 3), Column("ERROR", 7, right=False, least=12),
)  # fmt: skip
WORKERS = (
    Column("WORKER", 9, right=False, least=14), Column("STATE", 8, right=False), Column("BUSY", 7),
    Column("TASKS/MIN", 5), Column("FAIL", 4), Column("RSS", 1), Column("HEARD", 3),
)  # fmt: skip


def frame(seen: Seen, look: Look) -> list[str]:
    """The whole screen, at most `look.height` lines."""
    lines = [_title(seen, look), _totals(seen, look), *_attention(seen, look)]
    failing = [_failing(row, seen.at_ms) for row in seen.now.get("failing", ())][:MOST_FAILING]
    room = look.height - len(lines) - (len(failing) + 2 if failing else 0) - 4
    for_workers = min(len(seen.workers), max(LEAST_ROWS, room // 2))
    for_queues = max(LEAST_ROWS, room - for_workers)
    lines += _part(QUEUES, [_queue(row) for row in seen.queues], for_queues, look)
    lines += _part(FAILING, failing, MOST_FAILING, look)
    workers = [_worker(row, seen.at_ms) for row in seen.workers]
    lines += _part(
        WORKERS, workers, max(LEAST_ROWS, room - min(for_queues, len(seen.queues))), look
    )
    return lines[: look.height]


def _part(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], most: int, look: Look
) -> list[str]:
    if not rows:
        return []
    lines = ["", *table(columns, rows[:most], look)]
    if len(rows) > most:
        lines[1] += paint(f"  +{len(rows) - most}", DIM, look) if look.width > 40 else ""  # noqa: PLR2004 - no room
    return lines


def _title(seen: Seen, look: Look) -> str:
    state = f"no answer for {seen.late_s} s" if seen.late_s else "live"
    room = look.width - len(state) - len("z4j top") - 2 * GAP
    return (
        f"{paint('z4j top', BOLD, look)}  {fit(plain(seen.where), max(1, room))}  "
        f"{paint(state, RED if seen.late_s else GREEN, look)}"
    )


def _totals(seen: Seen, look: Look) -> str:
    totals = seen.now.get("totals", {})
    parts = [f"{name} {_number(totals.get(name))}" for name in ("running", "queued", "failed")]
    newest = (seen.now.get("throughput", {}).get("series") or [{}])[-1]
    if newest.get("fail_pct") is not None:
        parts.append(f"failing {newest['fail_pct']:.1f} %")
    if newest.get("p95_took_us") is not None:
        parts.append(f"p95 {span(newest['p95_took_us'])}")
    return fit(" · ".join(parts), look.width)


def _attention(seen: Seen, look: Look) -> list[str]:
    worst = list(seen.now.get("attention", ()))[:2]
    tones = {"bad": RED, "error": RED}
    return [
        paint(fit(f"! {plain(row['text'])}", look.width), tones.get(row["level"], YELLOW), look)
        for row in worst
    ]


def _number(found: Any) -> str:
    if not isinstance(found, Mapping):
        return "—"
    return f"{'≈ ' if found.get('approx') else ''}{found['value']:,}"


def _queue(row: Row) -> list[Cell]:
    name = plain(row["name"]) + (" (paused)" if row.get("paused") else "")
    drain = row.get("drain_s")
    never = drain == "never"
    return [
        Cell(name, YELLOW if row.get("paused") else ""), Cell(plain(row["engine"])),
        Cell(_count(row.get("depth"))), Cell(span(row.get("oldest_us"))),
        Cell(_rate(row.get("in_per_s"))), Cell(_rate(row.get("out_per_s"))),
        Cell("never" if never else _seconds(drain), RED if never else ""),
        Cell(_busy(row.get("busy"), row.get("slots"))),
    ]  # fmt: skip


def _failing(row: Row, now_ms: int) -> list[Cell]:
    error = row.get("last_error") or {}
    said = ": ".join(plain(error[key]) for key in ("type", "message") if error.get(key))
    pct = row.get("fail_pct")
    return [
        Cell(plain(row["task"])), Cell(_number(row.get("failed")), RED),
        Cell(_number(row.get("total"))), Cell(_pct(pct), _tone(pct)),
        Cell(_ago(row.get("last_at"), now_ms)), Cell(said),
    ]  # fmt: skip


def _worker(row: Row, now_ms: int) -> list[Cell]:
    state, pct, rss = str(row["state"]), row.get("fail_pct"), row.get("rss_kb")
    return [
        Cell(plain(row["name"])), Cell(plain(state.replace("_", " ")), _TONES.get(state, "")),
        Cell(f"{_count(row.get('busy'))}/{_count(row.get('slots'))}"),
        Cell(_count(row.get("tasks_per_min"))), Cell(_pct(pct), _tone(pct)),
        Cell("—" if rss is None else f"{rss // 1024:,} MB"),
        Cell(_ago(row.get("last_heard_at"), now_ms)),
    ]  # fmt: skip


def _tone(pct: float | None) -> str:
    return RED if pct is not None and pct >= _BAD_PCT else ""


def _count(found: float | None) -> str:
    return "—" if found is None else f"{found:,.0f}"


def _rate(found: float | None) -> str:
    return "—" if found is None else f"{found:.1f}" if found < 10 else f"{found:,.0f}"  # noqa: PLR2004 - two digits


def _pct(found: float | None) -> str:
    return "—" if found is None else f"{found:.1f} %"


def _seconds(found: Any) -> str:
    return span(round(found * 1_000_000)) if isinstance(found, int | float) else "—"


def _ago(at_ms: int | None, now_ms: int) -> str:
    return "—" if at_ms is None else span(max(0, now_ms - at_ms) * _MS)


def _busy(busy: int | None, slots: int | None) -> str:
    if busy is None or not slots:
        return "—"
    full = min(_BAR, round(_BAR * busy / slots))
    return f"{busy}/{slots} {'█' * full}{'·' * (_BAR - full)}"
