"""What is planted in a broker. The rule: the original is called once, with what was given.

Two middlewares, one at each end of the list: retry middlewares stand between them whichever way
taskiq walks the list. Beside them the broker's `listen` and its formatter's `loads`, which see what
no middleware does: when consuming begins, and messages that never become a run.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any, Protocol

from taskiq import TaskiqMiddleware


class Listener(Protocol):
    """Where the facts of one broker go; nothing here raises."""

    def started(self) -> None: ...
    def stopped(self) -> None: ...
    def sending(self, message: Any) -> None: ...
    def sent(self, message: Any) -> None: ...
    def arrived(self, message: Any, raw: bytes) -> None: ...
    def unreadable(self, raw: bytes) -> None: ...
    def began(self, message: Any) -> None: ...
    def entered(self, message: Any) -> None: ...
    def left(self) -> None: ...
    def failed(self, error: BaseException) -> None: ...
    def ended(self, message: Any, result: Any) -> None: ...
    def fell(self, task: Any) -> None: ...
    async def listening(self) -> None: ...
    async def opened(self) -> None: ...
    async def may_pass(self, message: Any) -> bool: ...
    def silent(self) -> None: ...


class First(TaskiqMiddleware):
    """The middleware before all others."""

    def __init__(self, seam: Seam) -> None:
        super().__init__()
        self._seam = seam

    def startup(self) -> None:
        """The broker starts: whatever the app has put in place of ours meanwhile, we are back."""
        self._seam.renew()
        self._seam.heard.started()

    def shutdown(self) -> None:
        """The broker stops; all runs have ended."""
        self._seam.heard.stopped()

    def pre_send(self, message: Any) -> Any:
        """A message is about to be sent."""
        self._seam.heard.sending(message)
        return message

    def post_send(self, message: Any) -> None:
        """It was sent."""
        self._seam.heard.sent(message)

    def pre_execute(self, message: Any) -> Any:
        """An attempt begins."""
        self._seam.heard.began(message)
        return message

    def on_error(self, message: Any, result: Any, exception: BaseException) -> None:
        """The task raised."""
        self._seam.heard.left()
        self._seam.heard.failed(exception)

    def post_execute(self, message: Any, result: Any) -> None:
        """The attempt has ended, and whoever sends it again has done so."""
        self._seam.heard.left()
        self._seam.heard.ended(message, result)


class Last(TaskiqMiddleware):
    """The middleware after all others."""

    def __init__(self, seam: Seam) -> None:
        super().__init__()
        self._seam = seam

    def pre_execute(self, message: Any) -> Any:
        """The task's own code comes next."""
        self._seam.heard.entered(message)
        return message

    def on_error(self, message: Any, result: Any, exception: BaseException) -> None:
        """It is over."""
        self._seam.heard.left()

    def post_execute(self, message: Any, result: Any) -> None:
        """It is over."""
        self._seam.heard.left()


class Seam:
    """What is planted in one broker, and how it comes out again."""

    def __init__(self, broker: Any, heard: Listener) -> None:
        self.broker = broker
        self.heard = heard
        self._first, self._last = First(self), Last(self)
        self._formatter: Any = None

    def plant(self) -> None:
        """Hear all that happens in the broker."""
        for each in (self._first, self._last):
            each.set_broker(self.broker)
        self.broker.listen = self._listen
        self.renew()

    def renew(self) -> None:
        """Be where we belong, after the app has added middlewares or another formatter."""
        middlewares = self.broker.middlewares
        if not middlewares or middlewares[0] is not self._first:
            self._take_out(self._first)
            middlewares.insert(0, self._first)
        if middlewares[-1] is not self._last:
            self._take_out(self._last)
            middlewares.append(self._last)
        if self.broker.formatter is not self._formatter:
            self._release()
            self._formatter = self.broker.formatter
            self._formatter.loads = self._loads

    def remove(self) -> None:
        """Leave the broker as it was."""
        self._take_out(self._first)
        self._take_out(self._last)
        self._release()
        if vars(self.broker).get("listen") == self._listen:
            del self.broker.listen

    def loads(self, message: bytes) -> Any:
        """Decode a message as the broker does, unheard."""
        formatter = self._formatter or self.broker.formatter
        return type(formatter).loads(formatter, message=message)

    def _take_out(self, middleware: TaskiqMiddleware) -> None:
        with contextlib.suppress(ValueError):
            self.broker.middlewares.remove(middleware)

    def _release(self) -> None:
        if self._formatter is not None and vars(self._formatter).get("loads") == self._loads:
            del self._formatter.loads
        self._formatter = None

    def _loads(self, message: bytes) -> Any:
        found = None
        try:
            found = self.loads(message)
        finally:
            if found is None:
                self.heard.unreadable(message)
            else:
                self.heard.arrived(found, message)
        return found

    async def _listen(self) -> AsyncGenerator[Any, None]:
        await self.heard.listening()
        source = type(self.broker).listen(self.broker)
        try:
            while True:
                await self.heard.opened()
                try:
                    message = await anext(source)
                except StopAsyncIteration:
                    return
                if await self.heard.may_pass(message):
                    yield message
        finally:
            self.heard.silent()
            await source.aclose()
