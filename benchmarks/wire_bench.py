"""Cost of the wire: MAC, handshake, encoding, re-framing, and both ends of a loopback WebSocket.

`measure()` returns the figures; run as a script it prints them. Costs are CPU time, medians of
several runs. A rate is items divided by the CPU seconds of both processes: an agent with the
synchronous client and a brain with the asyncio server, which acknowledges four records at a time
as it does when it commits them together.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import statistics
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from time import process_time, thread_time_ns
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.sync.client import ClientConnection, connect
from z4j_core.wire import (
    MAX_MESSAGE_BYTES,
    PROTOCOL,
    AgentSession,
    BrainSession,
    Head,
    RecordType,
    pack_item,
    split_events,
)
from z4j_core.wire.bodies import Ack, Mark
from z4j_core.wire.events import events_body
from z4j_core.wire.keys import mac
from z4j_testing.wire import CREDENTIAL, REGISTER, URL, WELCOME, Pair, sample_task

RUNS = 7
BATCH = 500
TOGETHER = 4
PER_RECORD = (1, 10, 50, 200, 500)
OPTIONS: dict[str, Any] = {
    "compression": None,
    "ping_interval": None,
    "max_size": MAX_MESSAGE_BYTES,
    "subprotocols": [PROTOCOL],
}
Figure = dict[str, Any]
Decode = Callable[[bytes], int]


def decoder() -> tuple[str, Decode]:
    """How a batch is decoded here: by the brain's typed decoder where it is installed."""
    try:
        from z4j_brain.ingest.items import decode_items
    except ImportError:
        return "split", lambda body: len(split_events(body)[1])
    import msgspec

    fields = [("handle", int), ("first", int), ("age_ms", int), ("items", msgspec.Raw)]
    events = msgspec.defstruct("Events", fields, array_like=True)
    read = msgspec.msgpack.Decoder(events).decode
    return "typed", lambda body: len(decode_items(read(body).items))


def cpu_us(call: Callable[[], object], times: int) -> tuple[float, float]:
    """Median CPU microseconds of one call, and the spread of the runs."""
    seen = []
    for _ in range(RUNS):
        start = thread_time_ns()
        for _ in range(times):
            call()
        seen.append((thread_time_ns() - start) / times / 1000)
    return statistics.median(seen), max(seen) - min(seen)


def cost(name: str, call: Callable[[], object], times: int) -> Figure:
    value, spread = cpu_us(call, times)
    return {
        "name": name,
        "value": round(value, 3),
        "unit": "us",
        "runs": RUNS,
        "spread": round(spread, 3),
    }


async def _talk(socket: ServerConnection, decode: Decode) -> None:
    session = BrainSession(brain_id=bytes(16), nonce=os.urandom(32), now=0.0)
    session.receive_hello(await socket.recv())
    await socket.send(session.challenge(CREDENTIAL.secret))
    session.receive(await socket.recv(), 0.0)
    await socket.send(session.send(RecordType.WELCOME, replace(WELCOME, deflate_min=0)))
    upto = records = 0
    async for message in socket:
        upto += decode(session.receive(message, 0.0).raw)
        records += 1
        if records % TOGETHER == 0:
            await socket.send(session.send(RecordType.ACK, Ack((Mark(1, upto),), 8)))


def brain(pipe: Connection) -> None:
    """Serve one connection after another; tell the CPU seconds each one took."""
    _, decode = decoder()

    async def handle(socket: ServerConnection) -> None:
        start = process_time()
        await _talk(socket, decode)
        pipe.send(process_time() - start)

    async def main() -> None:
        async with serve(handle, "127.0.0.1", 0, **OPTIONS) as server:
            pipe.send(server.sockets[0].getsockname()[1])
            await asyncio.to_thread(pipe.recv)

    asyncio.run(main())


def _send_all(socket: ClientConnection, per_record: int, total: int) -> None:
    bodies = [pack_item(sample_task(n)) for n in range(per_record)]
    agent = AgentSession(CREDENTIAL, url=URL, project="demo", nonce=os.urandom(32), now=0.0)
    socket.send(agent.hello())
    agent.receive_challenge(socket.recv())
    socket.send(agent.register(REGISTER))
    agent.receive(socket.recv(), 0.0)
    waiting = 0
    for first in range(1, total + 1, per_record):
        socket.send(agent.events_record(1, first, 0, bodies))
        waiting += 1
        if waiting == agent.credit:
            agent.receive(socket.recv(), 0.0)
            waiting -= TOGETHER
    for _ in range(waiting // TOGETHER):
        agent.receive(socket.recv(), 0.0)


def loopback(per_record: int, total: int, port: int, pipe: Connection) -> float:
    """Items per CPU second of both ends together."""
    start = process_time()
    with connect(f"ws://127.0.0.1:{port}", **OPTIONS) as socket:
        _send_all(socket, per_record, total)
    return total / (process_time() - start + pipe.recv())


def rates(quick: bool) -> list[Figure]:
    kind, _ = decoder()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=brain, args=(theirs,))
    process.start()
    port = ours.recv()
    figures = []
    for per_record in PER_RECORD:
        total = per_record * (200 if quick else 2_000)
        seen = sorted(loopback(per_record, total, port, ours) for _ in range(3))
        name = "events_per_s" if per_record == 50 else f"events_per_s.{per_record}_per_record"
        figures.append(
            {
                "name": name,
                "value": round(seen[1]),
                "unit": f"items/s, {kind} decode",
                "runs": 3,
                "spread": round(seen[-1] - seen[0]),
            }
        )
    ours.send(None)
    process.join()
    return figures


def costs(quick: bool) -> list[Figure]:
    times = 20 if quick else 200
    task = sample_task(1)
    bodies = [pack_item(sample_task(n)) for n in range(BATCH)]
    plain = Pair(welcome=replace(WELCOME, deflate_min=0)).agent
    small = Pair(welcome=replace(WELCOME, deflate_min=1)).agent
    key, short, long = os.urandom(32), os.urandom(200), os.urandom(65_536)
    batch = events_body(Head(1, 1, 0), bodies)
    kind, decode = decoder()
    return [
        cost("hmac_200b_us", lambda: mac(key, short), times * 50),
        cost("hmac_64k_us", lambda: mac(key, long), times * 5),
        cost("handshake_both_us", lambda: Pair(opened=False).shake(), times),
        cost("pack_item_us", lambda: pack_item(task), times * 50),
        cost("reframe_mac_500_us", lambda: plain.events_record(1, 1, 0, bodies), times),
        cost("reframe_deflate_mac_500_us", lambda: small.events_record(1, 1, 0, bodies), times),
        cost(f"mac_{kind}_decode_500_us", lambda: (mac(key, batch), decode(batch)), times // 4),
        {"name": "batch_500_bytes", "value": len(batch), "unit": "B"},
    ]


def measure(quick: bool = False) -> list[Figure]:
    """All figures of the wire."""
    return costs(quick) + rates(quick)


if __name__ == "__main__":
    for figure in measure():
        print(json.dumps(figure))
