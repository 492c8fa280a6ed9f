"""What all files of cases share: a case is judged by the reference, never by hand."""
# ruff: noqa: INP001  a script beside the documents

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reference as r

SECRET, CRED, KID = bytes(range(32)), bytes(range(16)), 1
NAME, TEXT = r.key_id(CRED, KID), r.secret_text(CRED, KID, SECRET)
URL = "wss://brain.example.com:443/api/agent/ws"
Case = dict[str, Any]


def case(name: str, given: Any, judge: Callable[[], Any]) -> Case:
    """One case, judged by the reference."""
    try:
        return {"name": name, "input": given, "expect": "ok", "output": judge()}
    except r.Fault as fault:
        return {"name": name, "input": given, "expect": fault.kind, "output": None}


def turned(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)
