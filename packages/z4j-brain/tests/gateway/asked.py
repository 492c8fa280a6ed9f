"""A session of an agent that polls, request by request.

The rule: what goes over the wire is in the hands of the test.
"""

from __future__ import annotations

import http.client
from typing import Any

from z4j_core.clock import SystemClock
from z4j_core.wire import RecordType
from z4j_core.wire.bodies import Beat, Open, SpoolState
from z4j_core.wire.poll import join, prove, split

CLOCK = SystemClock()
BEAT = Beat(1, 5, 0, SpoolState(0, 1, 0, 0), None, None, 1, 4, 10, 5, 100, ())


def post(brain: Any, door: str, body: bytes = b"", handle: str = "", **headers: str) -> Any:
    """One request on a connection of its own; (status, body, headers)."""
    made = http.client.HTTPConnection("127.0.0.1", brain.port, timeout=40)
    try:
        sent = ({"Z4J-Session": handle} if handle else {}) | headers
        made.request("POST", f"/api/agent/{door}", body, sent)
        answer = made.getresponse()
        return answer.status, answer.read(), dict(answer.headers)
    finally:
        made.close()


class Asked:
    """A session request by request: what goes over the wire is in the hands of the test."""

    def __init__(self, brain: Any, agent: Any) -> None:
        self.brain, self.agent, self.wire, self.polls = brain, agent, agent.wire, 0

    def hello(self) -> bytes:
        self.said = self.wire.hello()
        status, challenge, headers = post(self.brain, "hello", self.said)
        assert status == 200
        self.handle = {name.lower(): value for name, value in headers.items()}["z4j-session"]
        return challenge

    def shake(self) -> Asked:
        self.wire.receive_challenge(self.hello())
        self.register = join([self.wire.register(self.agent.register())])
        status, body, _ = post(self.brain, "up", self.register, self.handle)
        assert status == 200
        self.heard = self.take(body)
        return self

    def up(self, *records: bytes) -> int:
        """Send records; before the first poll the answer carries what the brain has to say."""
        self.last = join(records)
        status, body, _ = post(self.brain, "up", self.last, self.handle)
        if status in (200, 204):
            self.heard += self.take(body)
            return 200
        return int(status)

    def proof(self) -> bytes:
        self.polls += 1
        return prove(self.wire.poll_key, self.polls)

    def down(self) -> list[Any]:
        status, body, _ = post(self.brain, "down", self.proof(), self.handle)
        assert status in (200, 204)
        return self.take(body)

    def take(self, body: bytes) -> list[Any]:
        return [self.wire.receive(record, CLOCK.monotonic()) for record in split(body)]

    def open(self) -> bytes:
        entry = Open(1, self.agent.stream, 1, 0, b"segment1", 1, {"host": "h1"})
        return bytes(self.wire.send(RecordType.OPEN, [entry]))

    def until(self, type_: RecordType) -> Any:
        while True:
            while self.heard:
                if (received := self.heard.pop(0)).type == type_:
                    return received.body
            self.heard = self.down()

    def goes_on(self) -> bool:
        """Whether the honest agent still has its session."""
        assert self.up(self.wire.send(RecordType.BEAT, BEAT)) == 200
        return self.until(RecordType.PONG).n == 1
