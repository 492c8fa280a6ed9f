"""A command that works on the brain itself. The rule: what goes wrong is one line on stderr."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable

from z4j_core.errors import ConfigError, Z4JError

from ..app import close_brain, open_brain
from ..web.context import Brain
from .options import settings_of


def on_brain(options: argparse.Namespace, act: Callable[[Brain], None]) -> int:
    """Open the brain the options name and act; 2 where it cannot be opened, 1 where it refuses."""
    try:
        brain = open_brain(settings_of(options))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        act(brain)
    except Z4JError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        close_brain(brain)
    return 0


def os_user() -> str:
    """Who works on the brain's own machine, as the audit names them."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"
