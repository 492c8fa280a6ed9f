"""`z4j-scheduler serve`. The rule: told to stop it hands over first, within a second."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from typing import Any

from z4j_core.agent.items import Source
from z4j_core.cli.remote import USAGE, Failure
from z4j_core.config.settings import summary

from ..service import Scheduler
from .options import settings_of


def _serve(options: argparse.Namespace) -> int:
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    loaded = settings_of(options)
    if loaded.settings.dsn is None:
        text = summary(loaded.faults) or "no DSN: set Z4J_DSN to one of a key of role scheduler"
        raise Failure(USAGE, text)
    if loaded.faults:
        logging.getLogger("z4j.scheduler").warning("%s", summary(loaded.faults))
    service = Scheduler(loaded.settings, [source_of(text) for text in options.group])
    told = threading.Event()
    stop: Any = lambda *_: told.set()  # noqa: E731 - as signal wants it
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if options.until_eof:
        threading.Thread(target=_await_eof, args=(told,), daemon=True).start()
    service.start()
    told.wait()
    service.stop()
    return 0


def source_of(text: str) -> Source:
    """A group as people write it.

    Raises:
        Failure: 2, it is none.
    """
    engine, slash, app = text.partition("/")
    if not (engine and slash and app):
        raise Failure(USAGE, f"{text!r} is no group: write ENGINE/APP, as status shows it")
    return Source(engine, app)


def _await_eof(told: threading.Event) -> None:
    """Hear that whoever started this is gone, however that ended."""
    while os.read(sys.stdin.fileno(), 4096):
        continue
    told.set()


COMMANDS = {"serve": _serve}
