"""A reverse proxy that passes no WebSocket. The rule: requests pass whole, upgrades do not.

What stands between many agents and their brains: it speaks HTTP/1.1 to both sides, keeps what is
between two hops to itself (`Connection`, `Upgrade`, …), and answers 502 while nobody is behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable
from types import TracebackType
from typing import NamedTuple, Self

_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
_MAX_HEAD = 65_536
_START_S = 10.0


class Message(NamedTuple):
    """A request or an answer: its first line, its headers in order, its body."""

    first: str
    headers: list[tuple[str, str]]
    body: bytes

    def to_next(self, *more: tuple[str, str]) -> bytes:
        """As it is sent on."""
        kept = [pair for pair in self.headers if pair[0].lower() not in _HOP | {"content-length"}]
        kept += [("Content-Length", str(len(self.body))), *more]
        lines = [self.first, *(f"{name}: {value}" for name, value in kept)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


class StrippingProxy:
    """`with StrippingProxy(("127.0.0.1", port)) as proxy:` and dial `proxy.port`.

    With `others` it spreads requests over all of them in turn; with the name of a `cookie` it keeps
    those together that bring the cookie it gave. `seen` holds the first line of each that came.
    """

    def __init__(self, target: tuple[str, int], *others: tuple[str, int], cookie: str = "") -> None:
        self._targets = (target, *others)
        self._cookie = cookie
        self._turn = 0
        self.seen: list[str] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._listens = threading.Event()
        self._stopped: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="z4j-stripping", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listens.wait(_START_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._stopped is not None
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(_START_S)
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stopped = asyncio.Event()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listens.set()
        await self._stopped.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it hangs up."""
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError, ValueError):
            while (asked := await _read(reader)) is not None:
                self.seen.append(asked.first)
                answer = await self._beside(self._ask(asked), reader)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        writer.close()

    async def _beside(self, asking: Awaitable[bytes], reader: asyncio.StreamReader) -> bytes | None:
        """The answer, or None when the client hung up before it came."""
        answer = asyncio.ensure_future(asking)
        hung_up = asyncio.ensure_future(_end_of(reader))
        await asyncio.wait({answer, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        hung_up.cancel()
        if answer.done():
            return answer.result()
        answer.cancel()
        await asyncio.gather(answer, return_exceptions=True)
        return None

    async def _ask(self, asked: Message) -> bytes:
        writer, number = None, self._chosen(asked)
        try:
            reader, writer = await asyncio.open_connection(*self._targets[number])
            writer.write(asked.to_next(("Connection", "close"), ("Via", "1.1 stripping")))
            await writer.drain()
            answer = await _read(reader)
        except (OSError, EOFError):
            answer = None
        finally:
            if writer is not None:
                writer.close()
        answer = answer or Message("HTTP/1.1 502 Bad Gateway", [], b"")
        more = [("Via", "1.1 stripping")]
        if self._cookie:
            more.append(("Set-Cookie", f"{self._cookie}={number}; Path=/; HttpOnly"))
        return answer.to_next(*more)

    def _chosen(self, asked: Message) -> int:
        """Whose turn it is, or who answered this client before."""
        brought = dict(asked.headers).get("Cookie", "").partition(f"{self._cookie}=")[2][:1]
        if self._cookie and brought:
            return int(brought)
        self._turn = (self._turn + 1) % len(self._targets)
        return self._turn


async def _end_of(reader: asyncio.StreamReader) -> None:
    """Wait until the other side hangs up; it sends nothing while it waits for an answer."""
    while not reader.at_eof():
        if reader.exception() is not None:
            return
        await asyncio.sleep(0.05)


async def _read(reader: asyncio.StreamReader) -> Message | None:
    """The next message, or None when there is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    except asyncio.LimitOverrunError as error:
        raise EOFError from error
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    known = {name.lower(): value for name, value in headers}
    if known.get("transfer-encoding", "").lower() == "chunked":
        return Message(first, headers, await _chunks(reader))
    return Message(first, headers, await reader.readexactly(int(known.get("content-length", "0"))))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return body
