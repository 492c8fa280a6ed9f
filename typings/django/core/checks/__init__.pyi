from collections.abc import Callable, Sequence
from typing import Any

class CheckMessage:
    level: int
    msg: str
    hint: str | None
    id: str | None

class Warning(CheckMessage):
    def __init__(
        self, msg: str, hint: str | None = None, obj: object = None, id: str | None = None
    ) -> None: ...

def register(check: Callable[..., Sequence[CheckMessage]], *tags: str) -> Any: ...
