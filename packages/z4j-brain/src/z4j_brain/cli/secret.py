"""The root secret on disk. The rule: made once, readable by its owner alone from the first byte."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
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
    if "Z4J_SECRET" not in environ and "Z4J_SECRET_FILE" not in environ:
        environ["Z4J_SECRET_FILE"] = str(root_secret(data_dir(environ)))
    return from_environ(environ)


def root_secret(where: Path) -> Path:
    """The file of the secret in `where`, made when it is missing; two starters get the same one."""
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, fresh = where / FILE, where / f"{FILE}.{os.getpid()}"
    if not path.exists():
        _write(fresh, [os.urandom(32).hex().encode()])
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path


def put_first(path: Path, secrets: Sequence[bytes]) -> None:
    """Replace the file by one with these secrets; who reads it sees the old one or the new one."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    _write(fresh, secrets)
    fresh.replace(path)


def _write(path: Path, secrets: Sequence[bytes]) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(b"".join(secret + b"\n" for secret in secrets))
        file.flush()
        os.fsync(file.fileno())
