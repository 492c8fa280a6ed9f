"""What commands take about TLS. The rule: what was typed beats the environment."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import NamedTuple

FILES = {
    "ca": ("ca_file", "certificates to trust instead of the system's (Z4J_CA_FILE)"),
    "cert": ("tls_cert", "certificate to show where one is asked for (Z4J_TLS_CERT)"),
    "key": ("tls_key", "its key, where that file does not hold it (Z4J_TLS_KEY)"),
}


class Files(NamedTuple):
    """What a command trusts and shows."""

    ca_file: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None


NO_FILES = Files()


def add_tls(*commands: argparse.ArgumentParser) -> None:
    """Let `commands` take the files for TLS."""
    for command in commands:
        for name, (setting, text) in FILES.items():
            command.add_argument(f"--tls-{name}", dest=setting, metavar="FILE", help=text)


def files_of(options: argparse.Namespace, environ: Mapping[str, str]) -> Files:
    """The files that were typed, each else as the environment names it."""
    found = {
        setting: getattr(options, setting, None) or environ.get(f"Z4J_{setting.upper()}") or None
        for setting, _ in FILES.values()
    }
    return Files(**found)
