"""Who fires. The rule: whatever fails is told once and tried again; nothing ends the loop."""

from __future__ import annotations

from ...model.fires import Status, Why
from .contract import End, FireFact, Found, Host, Settings, Snapshot
from .loop import Loop

__all__ = ["End", "FireFact", "Found", "Host", "Loop", "Settings", "Snapshot", "Status", "Why"]
