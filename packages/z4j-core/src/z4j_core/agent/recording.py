"""The process behind an emitter. The rule: it is asked, never reached into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from ..clock import Clock
    from ..config import Settings
    from ..model.tasks import Native
    from ..spool.hand import Hand
    from .counters import Counters
    from .items import Replayable


class Recording(Protocol):
    """What an emitter asks of its process."""

    settings: Settings
    clock: Clock
    counters: Counters
    entropy: Callable[[int], bytes]
    writer: Any
    changed: threading.Event
    is_sending: bool
    hand: Hand | None

    def begin(self) -> Any:
        """Open the spool and return its writer."""

    def own(self, role: str, *, send: bool = True) -> None:
        """Own a stream and, with `send`, a thread."""

    def keep(self, emitter: Any, task_id: str, native: Native, at_us: int, /) -> Replayable | None:
        """Keep an engine's message for a later retry."""

    @property
    def path(self) -> str:
        """Where the stream is on disk."""
        ...

    def write_to(self, path: str) -> None:
        """Write to the stream of another process."""
        ...

    def running_here(self) -> str | None:
        """Id of the task that an engine says runs in this thread."""

    def workers_changed(self) -> None:
        """Leave the names of the workers beside the stream."""

    def worker_left(self) -> None:
        """Look whether any worker is left that needs this process."""

    def flush(self, timeout_s: float) -> bool:
        """Wait until all facts so far are stored."""
        ...

    def catch_up(self, timeout_s: float) -> bool:
        """Wait until the brain has said what was ordered before."""
        ...
