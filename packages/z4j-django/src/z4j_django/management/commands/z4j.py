"""`manage.py z4j <command>`. The rule: it is the `z4j` command line with the project's settings."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from z4j.cli import main
from z4j_core.config import as_environment, declared

from z4j_django.checks import TAG
from z4j_django.declared import setting


class Command(BaseCommand):
    """Hands its words over as they are."""

    help = "The z4j command line under the settings of this project: doctor, explain, spool, ..."
    requires_system_checks = (TAG,)

    def add_arguments(self, parser: CommandParser) -> None:
        """Take all words after the command's name, options too."""
        parser.add_argument("args", nargs=argparse.REMAINDER, metavar="command")

    def handle(self, *args: str, **_: Any) -> None:
        """Run it and end with its exit code."""
        for name, text in as_environment(declared(setting())[0]).items():
            os.environ.setdefault(name, text)
        code = main(list(args))
        if code:
            sys.exit(code)
