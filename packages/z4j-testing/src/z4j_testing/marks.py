"""What a rig's tasks leave behind, in files of one folder: marks by name, and releases.

The rule: the same for a worker in this process and in another.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .signals import eventually

SLOW_S = 20.0
"""For how long a task waits that nobody lets go on."""
LOOK_S = 0.02


def folder() -> Path:
    """Where the tasks of this process leave marks and look for releases."""
    return Path(os.environ["RIG_MARKS"])


def mark(name: str, value: Any, place: Path | None = None) -> None:
    """Append a mark in one write, whichever processes write there too."""
    line = (json.dumps(value) + "\n").encode()
    file = (place or folder()) / f"{name}.jsonl"
    descriptor = os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, line)
    os.close(descriptor)


def times(name: str) -> int:
    """How often a task has come here, this time included; `name` is of one run."""
    mark(name, 1)
    return len((folder() / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())


def released(token: str) -> bool:
    """Whether the task that waits for this token may go on."""
    return (folder() / f"release-{token}").exists()


def held_up(token: str, sleep: Callable[[float], object]) -> str:
    """What `slow` does in an engine whose tasks are plain functions; `sleep` takes seconds."""
    try:
        mark("began", token)
        for _ in range(int(SLOW_S / LOOK_S)):
            if released(token):
                break
            sleep(LOOK_S)
        mark("done", token)
    finally:
        mark("finally", token)
    return token


class Marks:
    """Half of a rig: reads marks (one JSON text a line) and lets waiting tasks go on."""

    folder: Path

    def options_for(self, _task: str) -> dict[str, Any]:
        """Options without which a task does not do what it is listed for: none."""
        return {}

    def release(self, token: str) -> None:
        """Let the task that waits for this token go on."""
        (self.folder / f"release-{token}").touch()

    def marks(self, token: str, *, at_least: int = 0) -> list[Any]:
        """Marks of this name so far, once there are `at_least` so many."""
        file = self.folder / f"{token}.jsonl"

        def read() -> list[str] | None:
            lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
            return lines if len(lines) >= at_least else None

        lines = eventually(read, f"{at_least} marks of {token}") if at_least else read()
        return [json.loads(line) for line in lines or ()]


class Trap:
    """Writes a mark where it is unpickled: nothing of z4j may do that."""

    def __init__(self, file: str) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """Open the file, for whoever loads the bytes."""
        return (exec, (f"open({self.file!r}, 'a').write('1\\n')",))
