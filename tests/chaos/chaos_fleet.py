"""A thousand agents in one process: sessions as agents hold them, without hosts around them.

    python chaos_fleet.py <dsn> <agents> <addresses>

Each proves its key, opens a segment, beats, and dials again by the agents' own table. It answers
each line of standard input with one of its own: how many are up, the slowest return since the
line before, how many tries failed and why.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections import Counter

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from z4j_core.agent.reconnect import Backoff
from z4j_core.errors import WireError
from z4j_core.wire import AgentSession, RecordType
from z4j_core.wire.bodies import Ack, Beat, Close, Open, Policy, Register, SpoolState, Welcome
from z4j_core.wire.dsn import parse_dsn

HANDSHAKE_S, OPEN_S, ACK_S = 5, 10, 30
FIRST_PER_S = 25
BEAT = Beat(1, 0, 0, SpoolState(0, 1, 0, 0), None, None, None, None, None, 0, 0, ())
FAILED = (OSError, WebSocketException, WireError, TimeoutError, EOFError)
now = time.monotonic


class Ended(WireError):
    """The brain said CLOSE, and when to come again."""

    def __init__(self, close):
        super().__init__("Closed", close.reason, close.code)
        self.retry_after_s = close.retry_after_ms / 1000


class Fleet:
    """All agents, and what is known of them."""

    def __init__(self, dsn, addresses):
        self.dsn, self.addresses = dsn, addresses
        self.up = 0
        self.last_up = now()
        self.failed = Counter()


async def agent(fleet, number):
    """Hold one session for ever; they do not all begin at once."""
    await asyncio.sleep(number / FIRST_PER_S)
    backoff, stream, began = Backoff(os.urandom), os.urandom(16), now()
    while True:
        cause, retry_after_s, opened = 0, 0.0, None
        try:
            wire = session_of(fleet.dsn)
            async with connect(fleet.dsn.url, **options(fleet, number)) as socket:
                welcome = await shake(wire, socket, stream)
                backoff.cap_s = welcome.backoff_cap_ms / 1000
                opened = fleet.last_up = now()
                fleet.up += 1
                await live(wire, socket, welcome)
        except FAILED as error:
            cause = getattr(error, "close_code", 0)
            retry_after_s = getattr(error, "retry_after_s", 0.0)
            fleet.failed[named(error)] += opened is None
        finally:
            if opened is not None:
                fleet.up -= 1
                backoff.opened(now() - opened)
        await asyncio.sleep(backoff.delay(cause, now() - began, retry_after_s))


def named(error):
    code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else ""
    return f"{type(error).__name__} {code}".strip()


def options(fleet, number):
    """As the connector dials, each from its own address of the loopback or all from one."""
    address = 2 + number % fleet.addresses
    return {
        "subprotocols": ["z4j.2"], "compression": None, "ping_interval": None, "proxy": None,
        "open_timeout": OPEN_S, "close_timeout": 2, "max_size": 262_188,
        "local_addr": (f"127.0.{address // 250}.{address % 250 + 1}", 0),
    }  # fmt: skip


def session_of(dsn):
    return AgentSession(
        dsn.credential, url=dsn.url, project=dsn.project, nonce=os.urandom(32), now=now()
    )


async def shake(wire, socket, stream):
    """To WELCOME, and on to the answer to OPEN."""
    await socket.send(wire.hello())
    async with asyncio.timeout(HANDSHAKE_S):
        wire.receive_challenge(await socket.recv())
    await socket.send(wire.register(register(stream)))
    async with asyncio.timeout(HANDSHAKE_S):
        welcome = await until(wire, socket, Welcome)
    await socket.send(wire.send(RecordType.OPEN, [Open(1, stream, 1, 0, stream[:8], 1, {})]))
    async with asyncio.timeout(ACK_S):
        await until(wire, socket, Ack)
    return welcome


async def until(wire, socket, kind):
    while True:
        body = heard(wire, await socket.recv())
        if isinstance(body, kind):
            return body


def heard(wire, data):
    """The body of one record.

    Raises:
        Ended: the brain ends the session.
    """
    body = wire.receive(data, now()).body
    if isinstance(body, Close):
        raise Ended(body)
    return body


async def live(wire, socket, welcome):
    """Tell a fact and beat until the session ends."""
    number = 0
    while True:
        number += 1
        beat = BEAT._replace(n=number, mono=int(now() * 1000))
        await socket.send(wire.send(RecordType.BEAT, beat))
        due = now() + welcome.hb_ms / 1000
        while (left_s := due - now()) > 0:
            try:
                async with asyncio.timeout(left_s):
                    heard(wire, await socket.recv())
            except TimeoutError:
                break
        if now() > wire.deadline:
            raise TimeoutError


def register(stream):
    return Register(
        stream=stream, epoch=1, host=f"host-{stream.hex()[:6]}", os="linux", boot="b", pid=7,
        role="worker", agent="2.0.0", python="3.11", storage="disk",
        clock=time.time_ns() // 1000, policy=Policy("run", bytes(8)), tags={}, apps=(),
    )  # fmt: skip


async def answer(fleet):
    """Say how it stands, a line for a line."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        told = {"up": fleet.up, "since_last_s": now() - fleet.last_up, "failed": fleet.failed}
        print(json.dumps(told), flush=True)


async def main(dsn, agents, addresses):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    fleet = Fleet(parse_dsn(dsn), int(addresses))
    tasks = [asyncio.create_task(agent(fleet, number)) for number in range(int(agents))]
    await answer(fleet)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
