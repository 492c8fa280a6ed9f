"""What every part of the gateway shares. The rule: clock and entropy come from outside."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from z4j_core.clock import Clock
from z4j_core.wire import Nonces

from ..db import Database
from ..db.rootkeys import Entropy, RootKeys
from ..ingest.loop import Ingest
from .limits import Pending, Remembered
from .registry import Registry


@dataclass(frozen=True, slots=True)
class Core:
    """Database, keys, ingest and the connections of one brain process."""

    db: Database
    roots: RootKeys
    clock: Clock
    entropy: Entropy
    ingest: Ingest
    brain_id: bytes
    version: str
    heartbeat_ms: int
    deflate_min_bytes: int
    agent_urls: tuple[str, ...]
    registry: Registry = field(default_factory=Registry)
    nonces: Nonces = field(default_factory=Nonces)
    pending: Pending = field(default_factory=Pending)
    refusals: Remembered = field(default_factory=lambda: Remembered(60.0))
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("z4j.gateway"))
