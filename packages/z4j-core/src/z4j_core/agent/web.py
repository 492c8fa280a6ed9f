"""The process of a web framework. The rule: who answers requests has a stream of its own.

A command that enqueues has one only once it does; a process that only watches files never has.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from ..config import declared, summary
from .boot import Handle, current, start

if TYPE_CHECKING:
    from .process import Process

WEB = "web"
_UNSPECIFIC = frozenset({"script", WEB})
_serving: list[tuple[int, Process]] = []
"""The process that is known to answer requests, once there is one."""
log = logging.getLogger("z4j")


def begin(framework: str, given: object) -> Handle:
    """Start the agent under a framework's setting `Z4J`; opens no socket, starts no thread.

    Raises:
        ConfigError: only under the setting `STRICT`.
    """
    settings, faults = declared(given)
    if faults:
        log.warning("z4j: a setting is wrong: %s", summary(faults))
    handle = start(framework=settings)
    if handle.process is not None:
        handle.process.framework = framework
    return handle


def serve(**_: Any) -> None:
    """Be a web process from here on; a worker that tests itself stays a worker.

    Called at each request. A server that forks after loading the app gives each of its processes a
    stream this way, also where the parent had recorded before.
    """
    handle = current()
    process = handle.process if handle is not None else None
    known = (os.getpid(), process)
    if process is None or (_serving and _serving[0] == known):
        return
    _serving[:] = [(os.getpid(), process)]
    if process.role in _UNSPECIFIC:
        process.own(WEB)
