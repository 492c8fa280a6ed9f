"""Both sides of a session in one process, and samples to send. The rule: no I/O, no chance."""

from __future__ import annotations

from typing import Any

from z4j_core.wire import AgentSession, BrainSession, Credential, Nonces, Received, Secret, Tag
from z4j_core.wire.bodies import App, Open, Policy, Register, Verb, Welcome
from z4j_core.wire.codes import RecordType
from z4j_core.wire.frames import FRAMES, Direction
from z4j_core.wire.items import Preview, Task

URL = "ws://127.0.0.1:7075/api/agent/ws"
CREDENTIAL = Credential(bytes(range(16)), 1, Secret(bytes(range(32))))
STREAM = b"\x51" * 16
SEGMENT = b"\x9f" * 8
REGISTER = Register(
    stream=STREAM,
    epoch=1,
    host="host-1",
    os="Linux",
    boot="boot-1",
    pid=4711,
    role="worker",
    agent="2.0.0",
    python="3.11.7",
    storage="disk",
    clock=1_700_000_000_000_000,
    policy=Policy("run", b"\x07" * 8),
    tags={"region": "eu"},
    apps=(App("toy", "redis://broker/0", "1.0", "2.0.0", (Verb("retry", 1),), ()),),
)
WELCOME = Welcome(
    session=b"\x5e" * 16,
    brain="2.0.0",
    hb_ms=10_000,
    deflate_min=8_192,
    backoff_cap_ms=5_000,
    credit=8,
    max_tag=int(max(Tag)),
    clock=1_700_000_000_000_000,
)


def sample_task(n: int, **changes: Any) -> Task:
    """A succeeded task of ordinary size, the `n`-th."""
    text = f'["order-{n}", {n}]'
    task = Task(
        tag=Tag.TASK,
        kind=6,
        state=9,
        at=1_700_000_000_000_000 + n,
        engine="toy",
        app="redis://broker/0",
        task_id=f"3f0c1d2e-0000-4000-8000-{n:012d}",
        run=1,
        attempt=1,
        name="shop.tasks.send_receipt",
        queue="default",
        worker="worker-1@host-1",
        enqueued=1_700_000_000_000_000,
        start=1_700_000_000_000_000,
        end=1_700_000_000_000_000 + n,
        runtime=1_250 + n,
        args=Preview(0, len(text), text),
        kwargs=Preview(0, 2, "{}"),
        result=Preview(0, 4, "null"),
        via=1,
    )
    return task._replace(**changes)


def sample_open(handle: int = 1, **changes: Any) -> Open:
    """A segment of class 0 of the sample stream."""
    return Open(handle, STREAM, 1, 0, SEGMENT, 1, {"v": 2})._replace(**changes)


def flipped(data: bytes, bit: int) -> bytes:
    """`data` with one bit turned over."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def renumbered(record: bytes, seq: int) -> bytes:
    """`record` with another sequence number and its old MAC."""
    return record[:4] + seq.to_bytes(8, "big") + record[12:]


class Pair:
    """An agent and a brain that talk through memory; `carry` moves one record across.

    `opened` False leaves both sides new. `now` is the clock of both, in seconds.
    """

    def __init__(
        self,
        *,
        credential: Credential = CREDENTIAL,
        welcome: Welcome = WELCOME,
        nonces: Nonces | None = None,
        opened: bool = True,
        salt: int = 0,
        max_rec: int = 262_144,
    ) -> None:
        self.now = 1_000.0
        self.credential = credential
        self.welcome = welcome
        self.last = b""
        self.agent = AgentSession(
            credential,
            url=URL,
            project="demo",
            nonce=bytes((0xA1 + salt,)) * 32,
            now=self.now,
        )
        self.brain = BrainSession(
            brain_id=b"\xb0" * 16,
            nonce=bytes((0xB2 + salt,)) * 32,
            now=self.now,
            max_rec=max_rec,
            nonces=nonces,
        )
        if opened:
            self.shake()
            self.carry(RecordType.REGISTER, REGISTER)
            self.carry(RecordType.WELCOME, welcome)

    def shake(self) -> None:
        """Handshake up to the proof of the brain."""
        self.brain.receive_hello(self.agent.hello())
        self.agent.receive_challenge(self.brain.challenge(self.credential.secret))

    def carry(self, type_: int, body: Any) -> Received:
        """Send a record from the side that may send it, and receive it on the other.

        Types both may send go from agent to brain. `last` is the record as it travelled.
        """
        if FRAMES[type_].direction & Direction.TO_BRAIN:
            self.last = self.agent.send(type_, body)
            return self.brain.receive(self.last, self.now)
        self.last = self.brain.send(type_, body)
        return self.agent.receive(self.last, self.now)

    def carry_events(self, first: int, bodies: list[bytes], handle: int = 1) -> Received:
        """Send items that are bytes already, from agent to brain."""
        self.last = self.agent.events_record(handle, first, 0, bodies)
        return self.brain.receive(self.last, self.now)
