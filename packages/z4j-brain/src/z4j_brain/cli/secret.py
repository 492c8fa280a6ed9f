"""The root secret on disk. The rule: made once, readable by its owner alone from the first byte."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..settings import Settings, data_dir, from_environ

FILE = "secret.key"


def load_settings(environ: Mapping[str, str], **overrides: object) -> Settings:
    """Settings of this environment and these overrides; makes `secret.key` when none is given.

    Raises:
        ConfigError: a setting is wrong.
    """
    given = {name: str(value) for name, value in overrides.items() if value is not None}
    environ = dict(environ) | given
    if "Z4J_SECRET" in environ or "Z4J_SECRET_FILE" in environ:
        return from_environ(environ)
    return from_environ(environ, secret=root_secret(data_dir(environ)))


def root_secret(where: Path) -> bytes:
    """The secret in `where`, made when it is missing; two starters get the same one."""
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = where / FILE
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_bytes().strip()
    with os.fdopen(handle, "wb") as file:
        secret = os.urandom(32).hex().encode()
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    return secret
