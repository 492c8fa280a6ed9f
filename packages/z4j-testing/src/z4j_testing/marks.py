"""What a rig's tasks leave behind, in files of one folder: marks by name, and releases.

The rule: the same for a worker in this process and in another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .signals import eventually


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
