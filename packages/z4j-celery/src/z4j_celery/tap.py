"""Listening to a Celery worker in its main process. The rule: the host's events pass unchanged.

Celery tells an event dispatcher everything its workers do, for every pool; ours is a subclass of
whichever class the app uses, so it hears events without `-E` and without broker traffic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Handlers = Mapping[str, Callable[[dict[str, Any]], None]]
MADE = "z4j-made"
"""Told when a dispatcher is made: connected to the broker, and nothing is consumed yet."""


def tapped(base: type[Any], handlers: Handlers) -> type[Any]:
    """Build a subclass of the dispatcher class `base` that tells `handlers` what passes.

    `handlers` is read at each event: emptied, the dispatcher is only what it was before.
    """
    publish = base.send

    class Tap(base):  # type: ignore[misc]  # the base is chosen by the app at run time
        """An event dispatcher that is always asked, and publishes only when it would have."""

        enabled: bool
        z4j_muted = False

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            if not self.enabled:
                self.z4j_muted = True
                self.enabled = True
            if MADE in handlers:
                handlers[MADE]({})

        def enable(self) -> None:
            """Publish from now on."""
            self.z4j_muted = False
            super().enable()

        def send(self, type: str, *args: Any, **fields: Any) -> Any:  # noqa: A002  (base's name)
            """Tell our handler, then do what the app's class does."""
            if type in handlers:
                handlers[type](fields)
            return None if self.z4j_muted else publish(self, type, *args, **fields)

    return Tap
