"""`flask z4j <command>`. The rule: it is the `z4j` command line with the app's settings."""

from __future__ import annotations

import os
import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from z4j.cli import main
from z4j_core.config import as_environment, declared
from z4j_core.config.declared import NAME

_VERBATIM = {"ignore_unknown_options": True, "help_option_names": []}


@click.command("z4j", context_settings=_VERBATIM, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@with_appcontext
def command(words: tuple[str, ...]) -> None:
    """Run a command of z4j under the settings of this app: doctor, explain, spool, ..."""
    settings, _ = declared(current_app.config.get(NAME))
    for name, text in as_environment(settings).items():
        os.environ.setdefault(name, text)
    sys.exit(main(list(words)))
