"""The life of a Django process. The rule: who answers requests has a stream of its own.

A management command has one only once it enqueues; the watching half of `runserver` never has.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.signals import request_started
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV
from z4j_core.agent import current, start
from z4j_core.config import summary

from .declared import declared

FRAMEWORK = "django"
WEB = "web"
_UNSPECIFIC = frozenset({"script", WEB})
_UID = "z4j_django"
_serving: list[int] = []
"""The process that is known to answer requests: pid, once there is one."""
log = logging.getLogger("z4j")


def begin() -> None:
    """Start the agent of this process; opens no socket, starts no thread.

    Raises:
        ConfigError: only under the setting `STRICT`.
    """
    if is_reloader_parent(sys.argv, os.environ):
        return
    given, faults = declared()
    if faults:
        log.warning("z4j: a setting is wrong: %s", summary(faults))
    handle = start(framework=given)
    if handle.process is not None:
        handle.process.framework = FRAMEWORK
        request_started.connect(serve, dispatch_uid=_UID)


def is_reloader_parent(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether this is the half of `runserver` that only watches files and starts the other."""
    return (
        list(argv[1:2]) == ["runserver"]
        and "--noreload" not in argv
        and environ.get(DJANGO_AUTORELOAD_ENV) != "true"
    )


def serve(**_: Any) -> None:
    """Be a web process from its first request on; a worker that tests itself stays a worker.

    A server that forks after loading the app gives each of its processes a stream this way, also
    where the parent had recorded before.
    """
    pid = os.getpid()
    if pid in _serving:
        return
    _serving[:] = [pid]
    handle = current()
    process = handle.process if handle is not None else None
    if process is not None and process.role in _UNSPECIFIC:
        process.own(WEB)
