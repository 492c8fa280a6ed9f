"""Small disks that fill up. The rule: each is unmounted again, whatever happened on it."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest


@contextlib.contextmanager
def small_disk(path, size):
    """A file system of its own at `path`; only root may mount one."""
    path.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"mode=0700,size={size}", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@contextlib.contextmanager
def filled(disk):
    """Nothing is free on it while the block runs."""
    ballast = disk / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        yield
    finally:
        ballast.unlink()
