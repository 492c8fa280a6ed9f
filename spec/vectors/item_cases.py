"""Cases of items."""
# ruff: noqa: INP001  a script beside the documents, whose numbers are the cases

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import reference as r
from judged import Case, case

_TASK = [
    1,
    6,
    9,
    10**15,
    "toy",
    "app",
    "id",
    1,
    1,
    "shop.send",
    "default",
    "w1",
    7,
    1,
    None,
    2,
    3,
    4,
]
_SAID = [0, 12, '["order", 1]']
_WHOLE = [
    *_TASK,
    5,
    -1,
    2,
    1000,
    _SAID,
    [1, 2, "{}"],
    [2, 9, "null"],
    "ValueError",
    _SAID,
    _SAID,
    "r",
    "p",
    "g",
    "o",
    1,
    b"c" * 16,
    "s",
    b"f" * 16,
    -1,
    "00-" + "a" * 52,
    9,
    63,
    "route",
    {"h": "1"},
    {"t": "2"},
    {"cpu_us": 1.5},
    8,
]
_FIRE = [
    4,
    1,
    "toy",
    "app",
    b"s" * 16,
    1,
    -5,
    None,
    b"f" * 16,
    3,
    1,
    9,
    2,
    1,
    -3,
    1,
    1,
    "2026-01-01T00:00",
    0,
]


def items() -> Iterable[Case]:
    def task(**at: Any) -> list[Any]:
        changed = list(_WHOLE)
        for place, value in at.items():
            changed[int(place[1:])] = value
        return changed

    values = {
        "lost": [0, 1, 5, 5],
        "lost with times": [0, 3, 1, 0, 1, 2, {"9": 1}],
        "largest lost": [0, 7, 2**64 - 1, 2**64 - 2],
        "task, whole": _WHOLE,
        "task, identity only": _TASK[:7],
        "task, usual": [*_TASK, *[None] * 14, 1, *[None] * 6, 0],
        "task with trailing nils": [
            *_TASK,
            *[None] * 14,
            1,
            *[None] * 6,
            0,
            None,
            None,
            None,
            None,
        ],
        "task of a later version": [*_WHOLE, "later", {"x": [1]}],
        "progress": [2, 1, "toy", "app", "id", 1, 1, 0.5, 1.0, "half", _SAID],
        "progress in integers": [2, 1, "toy", "app", "id", 1, 1, 3],
        "result": [3, 1, b"c" * 16, 2, "", "", {}],
        "result with targets": [
            3,
            1,
            b"c" * 16,
            3,
            "x",
            "y",
            {"depth": 4},
            [[0, 0, "new"], [1, 5]],
            "rule",
            12,
        ],
        "fire": _FIRE,
        "fire with actor": [*_FIRE, "manual", "ann"],
        "worker": [5, 1, "toy", "app", "w1", 4, "killed", {"pid": 7}],
        "note": [6, 1, 3, "Z4J-E121", [0, 4, "full"]],
        "note of an engine": [6, 1, 3, "Z4J-E121", [0, 4, "full"], "toy", "app"],
        "not an array": {"tag": 1},
        "empty": [],
        "tag is text": ["1"],
        "tag is nil": [None],
        "tag is a bool": [True, 1, 5, 5],
        "unknown tag": [7, 1],
        "negative tag": [-1, 1],
        "task too short": _TASK[:6],
        "lost too short": [0, 1, 5],
        "kind is nil": task(_1=None),
        "kind beyond u8": task(_1=256),
        "kind is negative": task(_1=-1),
        "kind is a bool": task(_1=True),
        "kind is a float": task(_1=1.0),
        "kind is text": task(_1="6"),
        "at is negative": task(_3=-1),
        "engine of 33 characters": task(_4="e" * 33),
        "engine as bytes": task(_4=b"toy"),
        "app of 129 characters": task(_5="a" * 129),
        "id of 257 characters": task(_6="i" * 257),
        "id is a number": task(_6=1),
        "run is nil": task(_7=None),
        "attempt beyond u16": task(_8=65_536),
        "name is a list": task(_9=["x"]),
        "priority beyond i32": task(_19=2**31),
        "preview is text": task(_22="[]"),
        "preview too short": task(_22=[0, 2]),
        "preview text is bytes": task(_22=[0, 2, b"[]"]),
        "preview of 8193 characters": task(_22=[0, 2, "x" * 8_193]),
        "via is nil": task(_32=None),
        "command id of 15 bytes": task(_33=b"c" * 15),
        "command id is text": task(_33="c" * 16),
        "slot beyond i64": task(_36=2**63),
        "trace of 56 characters": task(_37="t" * 56),
        "flags beyond u16": task(_39=65_536),
        "headers with a number": task(_41={"h": 1}),
        "seventeen tags": task(_42={str(n): "" for n in range(17)}),
        "tags is a list": task(_42=[]),
        "extra is a list": task(_43=[]),
        "extra of more than 1 KiB": task(_43={"x": "y" * 1_024}),
        "progress is text": [2, 1, "toy", "app", "id", 1, 1, "3"],
        "progress without a number": [2, 1, "toy", "app", "id", 1, 1],
        "evidence of more than 12 KiB": [3, 1, b"c" * 16, 2, "", "", {"x": "y" * 12_288}],
        "evidence is nil": [3, 1, b"c" * 16, 2, "", "", None],
        "target without a code": [3, 1, b"c" * 16, 2, "", "", {}, [[0]]],
        "target is a number": [3, 1, b"c" * 16, 2, "", "", {}, [0]],
        "fire without a fold": _FIRE[:-1],
        "fire id is nil": [*_FIRE[:8], None, *_FIRE[9:]],
        "worker without what": [5, 1, "toy", "app", "w1"],
        "note without text": [6, 1, 3, "Z4J-E121", None],
        "17 levels": task(_43={"a": [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}),
    }
    for name, value in values.items():
        data = r.pack(value)
        yield case(name, data.hex(), lambda d=data: r.item(d).hex())
    good = r.pack(_WHOLE)
    raw = {
        "empty bytes": b"",
        "cut": good[:-1],
        "trailing byte": good + b"\x00",
        "reserved byte": b"\xc1",
        "ext": b"\x91\xd4\x05\x00",
        "NaN in progress": r.pack([2, 1, "toy", "app", "id", 1, 1, 0.5])[:-9]
        + b"\xcb\x7f\xf8"
        + bytes(6),
        "infinity in progress": r.pack([2, 1, "toy", "app", "id", 1, 1, 0.5])[:-9]
        + b"\xcb\x7f\xf0"
        + bytes(6),
        "bad UTF-8": good.replace(b"shop.send", b"shop.\xff\xfe\xfd\xfc"),
        "longer than 16 KiB": bytes(16_385),
        "integers longer than needed": b"\x94\xcc\x00\xcd\x00\x01\xce\x00\x00\x00\x05\xcf"
        + bytes(7)
        + b"\x05",
        "float32 in progress": r.pack([2, 1, "toy", "app", "id", 1, 1, 0.5])[:-9]
        + b"\xca\x3f\x00\x00\x00",
        "equal keys, the last counts": b"\x97\x00\x01\x05\x05\x01\x02\x82\xa19\x01\xa19\x02",
    }
    for name, data in raw.items():
        yield case(name, data.hex(), lambda d=data: r.item(d).hex())
