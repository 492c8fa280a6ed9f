"""One verb of `z4j schedules`. The rule: a verb's module is loaded only for that verb."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from ...errors import ScheduleInvalid
from ..remote import USAGE, Failure, Remote, remote_of
from ..words import lines, plain
from .options import parser

_HOMES = {
    "next": "expressions", "explain": "expressions",
    "list": "looking", "show": "looking", "history": "looking", "groups": "looking",
    "add": "editing", "edit": "editing",
    "pause": "acting", "resume": "acting", "fire": "acting", "backfill": "acting",
    "replay": "acting",
    "diff": "applying", "apply": "applying",
    "calendars": "daysoff",
}  # fmt: skip
Ask = Callable[[], Remote]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 done, 1 differs or failed, 2 usage, 3 no connection, 4 refused."""
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or (given[0].startswith("-") and given[0] not in {"-h", "--help"}):
        given.insert(0, "list")
    options = parser().parse_args(given)
    module = import_module(f".{_HOMES[options.verb]}", __package__)
    try:
        return int(module.VERBS[options.verb](_asker(options), options))
    except ScheduleInvalid as error:
        where = f"{error.pointer}: " if error.pointer else ""
        print(f"z4j schedules: {plain(f'{where}{error} ({error.code})')}", file=sys.stderr)
        return USAGE
    except Failure as error:
        print(f"z4j schedules: {lines(str(error))}", file=sys.stderr)
        return error.status
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _asker(options: argparse.Namespace) -> Ask:
    """The brain, looked for when a verb first needs it."""
    return lambda: remote_of(options)
