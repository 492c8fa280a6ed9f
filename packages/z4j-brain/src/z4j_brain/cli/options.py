"""Options that several commands share."""

from __future__ import annotations

import argparse
import os

from ..settings import Settings
from .secret import load_settings


def parser(name: str, about: str) -> argparse.ArgumentParser:
    """A parser with the options that say which brain is meant."""
    found = argparse.ArgumentParser(prog=f"z4j {name}", description=about)
    found.add_argument("--database", metavar="URL", help="sqlite:///file or postgresql://…")
    found.add_argument("--data-dir", metavar="DIR", help="where database file and secret live")
    return found


def settings_of(options: argparse.Namespace, **more: object) -> Settings:
    """Settings of the environment and the given options.

    Raises:
        ConfigError: a setting is wrong.
    """
    return load_settings(
        os.environ, Z4J_DATABASE_URL=options.database, Z4J_DATA_DIR=options.data_dir, **more
    )
