"""Tables of spec/wire.md and spec/wire.json, from the code. The rule: numbers are only ever added.

`python spec/wire_tables.py` rewrites both files and refuses when a number, position or type that
was published is gone or changed. Prose between the tables is written by hand.
"""
# ruff: noqa: INP001  a script beside the documents it writes

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from z4j_core.model.commands import LEVEL_OF_VERB, ResultState, TargetCode
from z4j_core.model.tasks import ENDS, STATE_OF_KIND, EventKind, TaskFlag, TaskState
from z4j_core.wire import codes
from z4j_core.wire.codes import CloseCode, Fault
from z4j_core.wire.frames import FRAMES, Direction
from z4j_core.wire.handshake import Challenge, Hello
from z4j_core.wire.items import ITEMS, LostReason, PreviewFlag, Tag
from z4j_core.wire.schema import fields_of
from z4j_core.wire.session import TRANSITIONS

HERE = Path(__file__).resolve().parent
MARKDOWN = HERE / "wire.md"
JSON = HERE / "wire.json"
_SLOT = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ARROWS = {Direction.TO_BRAIN: "A→B", Direction.TO_AGENT: "B→A", Direction.BOTH: "both"}
_MEANING = {
    CloseCode.MALFORMED: "malformed: something that no honest side sends",
    CloseCode.AUTH: "proof wrong: wrong, retired or foreign key, or not our brain",
    CloseCode.REVOKED: "key revoked or retired while the session ran",
    CloseCode.PROJECT: "the key belongs to another project",
    CloseCode.URL: "URL or certificate not allowed",
    CloseCode.TIMEOUT: "handshake took longer than 5 s",
    CloseCode.SUPERSEDED: "superseded by a newer owner of the stream",
    CloseCode.GAP: "an offset is missing: OPEN again",
    CloseCode.TOO_LARGE: "too large: halve the batch",
    CloseCode.VERSION: "no common version, or an unknown critical type",
    CloseCode.RATE: "too many sessions, handshakes or items",
    CloseCode.INTERNAL: "the brain failed",
    CloseCode.DRAINING: "the brain is stopping: come back after `retry_after_ms`",
}
_LIMITS = {
    "MAX_HANDSHAKE_BYTES": "HELLO, CHALLENGE and REGISTER, each",
    "MAX_RECORD_BYTES": "body of a record as sent",
    "MAX_INFLATED_BYTES": "body of EVENTS, inflated",
    "MAX_ITEM_BYTES": "one item",
    "MAX_PARAMS_BYTES": "`params` of COMMAND",
    "MAX_DEPTH": "levels of arrays and maps",
    "MAX_MAP": "keys of a map",
    "MAX_ARRAY": "elements of an array",
    "MAX_SCHEDULES_ARRAY": "elements of an array of SCHEDULES",
    "MAX_OPEN_SEGMENTS": "segments of one OPEN",
    "MAX_RECORDS": "records of one direction of a session",
    "MAX_CREDIT": "unacknowledged EVENTS records",
}


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Markdown of a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def name_of(text: str) -> str:
    """A field as it is called on the wire, where Python needed another name."""
    return {"klass": "class"}.get(text, text.rstrip("_"))


def positions(kind: type) -> list[tuple[str, str]]:
    """Names and types of a row or map, in order."""
    return [(name_of(field.name), field.label) for field in fields_of(kind)]


def inline(kind: type) -> str:
    """A row or map on one line."""
    return " · ".join(f"`{name}` {label}" for name, label in positions(kind))


def _nested(kind: type, found: dict[str, type]) -> None:
    for hint in get_type_hints(kind, include_extras=True).values():
        for inner in _rows_in(hint):
            if inner.__name__ not in found:
                found[inner.__name__] = inner
                _nested(inner, found)


def _rows_in(hint: Any) -> Iterable[type]:
    if isinstance(hint, type) and hasattr(hint, "_fields"):
        yield hint
    for inner in get_args(hint):
        yield from _rows_in(inner)


def rows_used() -> dict[str, type]:
    """Every row that stands inside a body or an item."""
    found: dict[str, type] = {}
    for kind in (*(f.body for f in FRAMES.values() if f.body), *ITEMS.values()):
        _nested(kind, found)
    return found


def _records() -> str:
    rows = []
    for number, frame in FRAMES.items():
        body = inline(frame.body) if frame.body else {"EVENTS": _EVENTS}.get(frame.number.name, "")
        text = _SHAPES.get(frame.shape, "{}").format(body)
        rows.append((number, frame.number.name, _ARROWS[frame.direction], text))
    return table(("#", "name", "direction", "body"), rows)


_SHAPES = {
    "rows": "array of [{}]",
    "map": "map: {}",
    "keys": "map: any keys of REGISTER that changed",
    "handles": "array of handle u16",
}
_EVENTS = "`handle` u16 · `first` u64 · `age_ms` u32 · `items` array of items"


def _items() -> str:
    parts = []
    for tag, kind in ITEMS.items():
        required = sum(field.required for field in fields_of(kind))
        parts.append(f"**{tag} {Tag(tag).name}**: positions 0 to {required - 1} are required.\n\n")
        rows = [(n, f"`{name}`", label) for n, (name, label) in enumerate(positions(kind))]
        parts.append(table(("position", "name", "type"), rows) + "\n")
    return "".join(parts)


def _enum(kind: Any, skip: Sequence[str] = ()) -> str:
    members = (one for one in kind if one.name not in skip)
    return table(("number", "name"), ((int(one), one.name.lower()) for one in members))


def _kinds() -> str:
    rows = ((k.value, k.name.lower(), f"{STATE_OF_KIND[k].value} {STATE_OF_KIND[k].name.lower()}",
             "yes" if k in ENDS else "") for k in EventKind)  # fmt: skip
    return table(("kind", "name", "state", "ends an attempt"), rows)


def _verbs() -> Iterable[tuple[str, str]]:
    return ((verb, level.name.lower()) for verb, level in LEVEL_OF_VERB.items())


def tables() -> dict[str, str]:
    """Every generated table by the name of its place."""
    return {
        "hello": table(("name", "type"), positions(Hello)),
        "challenge": table(("name", "type"), positions(Challenge)),
        "transitions": table(
            ("state", "event", "next"), ((s, e, after) for (s, e), after in TRANSITIONS.items())
        ),
        "records": _records(),
        "rows": table(
            ("row", "elements"), ((name, inline(kind)) for name, kind in rows_used().items())
        ),
        "states": _enum(TaskState),
        "kinds": _kinds(),
        "items": _items(),
        "lost-reasons": _enum(LostReason),
        "preview-flags": _enum(PreviewFlag),
        "task-flags": _enum(TaskFlag),
        "result-states": _enum(ResultState),
        "target-codes": _enum(TargetCode),
        "verbs": table(("verb", "lowest level"), _verbs()),
        "close-codes": table(("code", "meaning"), ((int(c), _MEANING[c]) for c in CloseCode)),
        "faults": table(("class",), ((fault.value,) for fault in Fault)),
        "limits": table(
            ("limit", "of"), ((f"{getattr(codes, name):,}", what) for name, what in _LIMITS.items())
        ),
    }


def numbers() -> dict[str, Any]:
    """What may never change, for the test that allows only additions."""
    bodies = {f.number.name: f.body for f in FRAMES.values() if f.body and f.shape != "keys"}
    kinds = {**bodies, **{Tag(t).name: k for t, k in ITEMS.items()}, **rows_used()}
    kinds |= {"HELLO": Hello, "CHALLENGE": Challenge}
    rows = {n: k for n, k in kinds.items() if not dataclasses.is_dataclass(k)}
    maps = {n: k for n, k in kinds.items() if dataclasses.is_dataclass(k)}
    enums = (EventKind, TaskState, TaskFlag, ResultState, TargetCode, LostReason, PreviewFlag, Tag)
    return {
        "records": {f.number.name: [n, _ARROWS[f.direction]] for n, f in FRAMES.items()},
        "rows": {name: [list(one) for one in positions(kind)] for name, kind in rows.items()},
        "maps": {name: dict(positions(kind)) for name, kind in maps.items()},
        "enums": {e.__name__: {m.name: int(m) for m in e} for e in (*enums, CloseCode)},
        "faults": [fault.value for fault in Fault],
        "limits": {name: getattr(codes, name) for name in _LIMITS},
    }


def filled(text: str) -> str:
    """`text` of spec/wire.md with every table made anew."""
    made = tables()
    return _SLOT.sub(lambda slot: slot[1] + made[slot[2]] + slot[3], text)


def as_json() -> str:
    """Text of spec/wire.json."""
    return json.dumps(numbers(), indent=1, ensure_ascii=False) + "\n"


def withdrawn(published: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What was published and is no longer so; additions are not listed."""
    gone = [fault for fault in published["faults"] if fault not in now["faults"]]
    for part in ("records", "rows", "maps", "enums", "limits"):
        for name, value in published[part].items():
            if not _extends(now[part].get(name), value):
                gone.append(f"{part}.{name}")
    return gone


def _extends(now: Any, before: Any) -> bool:
    if isinstance(before, list) and isinstance(now, list):
        return now[: len(before)] == before
    if isinstance(before, dict) and isinstance(now, dict):
        return before.items() <= now.items()
    return bool(now == before)


if __name__ == "__main__":
    if JSON.exists() and (gone := withdrawn(json.loads(JSON.read_text("utf-8")), numbers())):
        raise SystemExit(f"published and changed: {', '.join(gone)}")
    MARKDOWN.write_text(filled(MARKDOWN.read_text(encoding="utf-8")), encoding="utf-8")
    JSON.write_text(as_json(), encoding="utf-8")
