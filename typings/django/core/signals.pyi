from collections.abc import Callable
from typing import Any

class Signal:
    def connect(
        self,
        receiver: Callable[..., Any],
        sender: object = None,
        weak: bool = True,
        dispatch_uid: str | None = None,
    ) -> None: ...

request_started: Signal
