"""The settings of the commands that connect. The rule: what was typed beats the environment."""

from __future__ import annotations

import argparse

from z4j_core.cli.tls import FILES
from z4j_core.config import Loaded, load


def settings_of(options: argparse.Namespace) -> Loaded:
    """The settings of this process."""
    return load({setting: getattr(options, setting) for setting, _ in FILES.values()})
