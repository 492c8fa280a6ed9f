"""A queue's consumer that can be paused. The rule: what is held back stays unacknowledged.

Dramatiq's own pause looks at its mark only when a queue has run dry, and then closes the consumer,
with which RabbitMQ hands out again what is being processed. Here a paused consumer goes on asking
for nothing, and a message that was taken before comes back to it instead of being acknowledged.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from z4j_core import Gate


class Gated:
    """A consumer of Dramatiq's behind a gate; all else is the consumer's own.

    `held` has the ids of message objects that come back when they are acknowledged next.
    """

    def __init__(
        self,
        consumer: Any,
        gate: Gate,
        is_closed: Callable[[], bool],
        held: set[int],
        timeout_s: float,
    ) -> None:
        self._consumer = consumer
        self._gate = gate
        self._is_closed = is_closed
        self._held = held
        self._timeout_s = timeout_s
        self._back: deque[Any] = deque()
        self._never = threading.Event()

    def __iter__(self) -> Gated:
        return self

    def __next__(self) -> Any:
        """The next message; None after a while when there is none, or none may start."""
        if self._is_closed():
            self._idle()
            return None
        return self._back.popleft() if self._back else next(self._consumer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    def ack(self, message: Any) -> None:
        """Acknowledge a message, unless it is only held back."""
        if id(message) in self._held:
            self._held.discard(id(message))
            self._back.append(message)
        else:
            self._consumer.ack(message)

    def close(self) -> None:
        """Let others have what was held back."""
        back, self._back = list(self._back), deque()
        if back:
            self._consumer.requeue(back)
        self._consumer.close()

    def _idle(self) -> None:
        connection = getattr(self._consumer, "connection", None)
        serve = getattr(connection, "process_data_events", None)
        if serve is not None:  # heartbeats, and acknowledgements of what still runs
            serve(time_limit=self._timeout_s)
        elif self._gate.closed:
            self._gate.wait(self._timeout_s)
        else:  # its worker is about to stop
            self._never.wait(self._timeout_s)
