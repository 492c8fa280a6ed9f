"""The life of a Django process. The rule: who answers requests has a stream of its own.

A management command has one only once it enqueues; the watching half of `runserver` never has.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from django.core.signals import request_started
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV
from z4j_core.agent import web

from .declared import setting

_UID = "z4j_django"


def begin() -> None:
    """Start the agent of this process; opens no socket, starts no thread.

    Raises:
        ConfigError: only under the setting `STRICT`.
    """
    if is_reloader_parent(sys.argv, os.environ):
        return
    if web.begin("django", setting()).is_active:
        request_started.connect(web.serve, dispatch_uid=_UID)


def is_reloader_parent(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether this is the half of `runserver` that only watches files and starts the other."""
    return (
        list(argv[1:2]) == ["runserver"]
        and "--noreload" not in argv
        and environ.get(DJANGO_AUTORELOAD_ENV) != "true"
    )
