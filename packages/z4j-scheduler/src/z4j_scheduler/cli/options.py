"""What the commands that connect take about TLS. The rule: what was typed beats the environment."""

from __future__ import annotations

import argparse

from z4j_core.config import Loaded, load

_TLS = {
    "ca": ("ca_file", "certificates to trust instead of the system's (Z4J_CA_FILE)"),
    "cert": ("tls_cert", "certificate to show where one is asked for (Z4J_TLS_CERT)"),
    "key": ("tls_key", "its key, where that file does not hold it (Z4J_TLS_KEY)"),
}


def add_tls(command: argparse.ArgumentParser) -> None:
    """Let `command` take the files for TLS."""
    for name, (setting, text) in _TLS.items():
        command.add_argument(f"--tls-{name}", dest=setting, metavar="FILE", help=text)


def settings_of(options: argparse.Namespace) -> Loaded:
    """The settings of this process."""
    return load({setting: getattr(options, setting) for setting, _ in _TLS.values()})
