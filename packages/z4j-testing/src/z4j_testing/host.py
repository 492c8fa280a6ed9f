"""The host's side of a rig: it sends, keeps the worker busy, waits until all has come through.

The rule: the same for a worker in this process and in another. An adapter adds how it sends.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from z4j_core import EventKind

from .facts import Facts
from .marks import Marks


class Host(Facts, Marks):
    """Half of a rig; `queue` has a neighbour, `<queue>-barrier`, that the same worker reads."""

    slots = 1
    queue: str
    send: Callable[..., str]

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._tokens = 0

    def declare(self, _queue: str) -> None:
        """Have a queue: it is there once something was sent to it."""

    def occupy(self) -> list[tuple[str, str]]:
        """Take all slots of the worker; tokens and ids of what runs."""
        self._tokens += 1
        tokens = [f"busy-{self._tokens}-{slot}" for slot in range(self.slots)]
        busy = [(token, self.send("slow", token)) for token in tokens]
        for _, task_id in busy:
            self.wait(task_id, EventKind.STARTED)
        return busy

    def vacate(self, busy: list[tuple[str, str]]) -> None:
        """Give the slots back."""
        for token, _ in busy:
            self.release(token)
        for _, task_id in busy:
            self.end(task_id)

    def quiet(self) -> Any:
        """Wait until what was sent before has come through: a run on the worker's other queue."""
        return self.end(self.send("ok", 1, queue=f"{self.queue}-barrier"))
