"""`z4j-scheduler`. The rule: a command's module is loaded only for that command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from z4j_core.cli.remote import Failure
from z4j_core.cli.tls import add_tls
from z4j_core.cli.words import lines

_HOMES = {
    "serve": "serve", "check": "check", "status": "groups", "move-group": "groups", "ddl": "ddl",
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 differs or failed, 2 usage, 3 no connection, 4 refused."""
    options = _parser().parse_args(argv)
    module = import_module(f".{_HOMES[options.command]}", __package__)
    try:
        return int(module.COMMANDS[options.command](options))
    except Failure as error:
        print(f"z4j-scheduler: {lines(str(error))}", file=sys.stderr)
        return error.status
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="z4j-scheduler",
        description="z4j's scheduler as a process of its own; Z4J_DSN holds a key of its role.",
    )
    commands = found.add_subparsers(dest="command", required=True, metavar="command")
    serve = commands.add_parser("serve", help="lead the groups that are fired centrally")
    serve.add_argument(
        "--group", action="append", default=[], metavar="ENGINE/APP",
        help="only this one; may be given again (all)",
    )  # fmt: skip
    serve.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)
    check = commands.add_parser(
        "check", help="DSN, brain, key, store, clock, time zones; exit 0, 2 or 3"
    )
    add_tls(serve, check)
    commands.add_parser("status", help="who fires each group, from where, and who could")
    moved = commands.add_parser("move-group", help="let another fire a group")
    moved.add_argument("group", metavar="ENGINE/APP", help="as in status")
    moved.add_argument("--to", choices=("central", "agents"), default="central")
    moved.add_argument(
        "--store", choices=("own", "brain"), default="own",
        help="where its agents keep the lease: own is what the app chooses (own)",
    )  # fmt: skip
    moved.add_argument("--no-wait", action="store_true", help="do not wait until it has moved")
    shown = commands.add_parser("ddl", help="tables of a lease store in SQL")
    shown.add_argument("dialect", nargs="?", choices=("postgresql", "sqlite"), default="postgresql")
    for each in commands.choices.values():
        each.add_argument("--json", action="store_true", help="one object per line")
    for name in ("status", "move-group"):
        commands.choices[name].add_argument("--project", help="slug of the project")
        add_tls(commands.choices[name])
    return found
