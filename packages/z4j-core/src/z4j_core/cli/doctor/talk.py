"""One real session with the brain: WELCOME, an event, a command. The rule: it is no agent.

REGISTER carries the feature `probe`: the brain lists nobody, and sends one COMMAND without targets.
The event is a NOTE in a stream of its own, so that no task and no spool of this machine is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ...agent import connector, poll
from ...agent.boundary import pack
from ...agent.items import note_item
from ...agent.link import Closed, Link
from ...agent.meta import stream_meta
from ...agent.policy import CLOSED, PolicyError, parse_policy
from ...agent.reconnect import AWAY, CAUSES
from ...agent.results import Result, result_item
from ...agent.transport import AUTO, POLL, WEBSOCKET, cause_in
from ...clock import Clock
from ...config import Dsn, Settings
from ...errors import Away, ConfigError, WireError
from ...model.commands import ResultState
from ...tls import context_of
from ...wire import PROBE, AgentSession, RecordType, encode_key_id
from ...wire.bodies import Ack, Close, Command, Open, Policy, Register, Welcome
from .network import speaks_tls
from .report import Failure, Said

T = TypeVar("T")
ANSWER_S = 4.0
PROBE_CODE = "doctor.probe"
_FAR_US = 5_000_000
_FACTS, _CONTROL = 0, 1
_NO_BRAIN, _NO_WEBSOCKET = "Z4J-E108", "Z4J-E109"


class Talk:
    """The checks that need a brain, in the order in which they depend on each other."""

    def __init__(
        self, dsn: Dsn, settings: Settings, clock: Clock, entropy: Callable[[int], bytes]
    ) -> None:
        self._dsn = dsn
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        self._stream = entropy(16)
        self._segments = (entropy(8), entropy(8))
        self._link: Link | None = None
        self._command: Command | None = None
        self._wire = self._new()

    def _new(self) -> AgentSession:
        dsn = self._dsn
        return AgentSession(
            dsn.credential,
            url=dsn.url,
            project=dsn.project,
            nonce=self._entropy(32),
            now=self._clock.monotonic(),
        )

    def handshake(self) -> Said:
        """Prove both sides, to WELCOME, the way an agent goes."""
        started = self._clock.monotonic()
        cause = self._run(self._open)
        took = self._ms(started)
        assert self._wire.welcome is not None
        text = f"z4j {self._wire.welcome.brain} knows key {self._key}…, WELCOME in {took} ms by"
        if cause:
            text = f"{text} HTTPS requests, for no WebSocket gets through ({cause})"
            return Said(text, _NO_WEBSOCKET, is_warning=True)
        by = "HTTPS requests, as set" if self._settings.transport == POLL else "WebSocket"
        return Said(f"{text} {by}")

    def clock(self) -> Said:
        """The difference of the clocks as of WELCOME."""
        assert self._wire.welcome is not None
        ahead_us = self._clock_at_welcome - self._wire.welcome.clock
        if abs(ahead_us) < _FAR_US:
            return Said(f"{abs(ahead_us) // 1000} ms from the brain's")
        side = "ahead of" if ahead_us > 0 else "behind"
        text = f"{_span(abs(ahead_us) // 1_000_000)} {side} the brain's (times on screen only)"
        return Said(text, is_warning=True)

    def event(self) -> Said:
        """Have one fact stored: acknowledged only after the brain's commit."""
        started = self._clock.monotonic()
        body = pack(note_item(self._clock.wall_us(), PROBE_CODE, "z4j doctor was here"))
        self._run(lambda: self._store(_FACTS, body))
        return Said(f"stored and acknowledged in {self._ms(started)} ms")

    def command(self) -> Said:
        """Take the brain's command and have the answer stored."""
        started = self._clock.monotonic()
        self._run(self._obey)
        return Said(f"taken, answered and acknowledged in {self._ms(started)} ms")

    def close(self) -> None:
        """Say good-bye."""
        if self._link is None:
            return
        try:
            self._link.send(self._wire.close(1000, "checked"))
        except (Closed, WireError):
            pass
        finally:
            self._link.close()

    def _open(self) -> str:
        """Shake hands; how a WebSocket failed, when it failed as behind a proxy."""
        wanted = self._settings.transport
        try:
            self._shake(POLL if wanted == POLL else WEBSOCKET)
        except (Away, Closed) as error:
            cause = cause_in(error)
            if wanted != AUTO or not cause:
                raise
            self._wire = self._new()
            self._shake(POLL)
            return cause
        return ""

    def _dial(self, way: str) -> Link:
        context = context_of(self._dsn, self._settings)
        if way == POLL:
            return poll.dial(self._dsn, context, self._clock, ANSWER_S)
        return connector.dial(self._dsn, context, ANSWER_S)

    def _run(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except ConfigError as error:
            raise Failure(error.code, error.text) from error
        except Away as error:
            is_silent = isinstance(error.__cause__, TimeoutError)
            text = str(error) if is_silent else self._hinted(str(error))
            raise Failure(error.code, text) from error
        except Closed as error:
            raise self._closed(error.close_code, str(error)) from error
        except WireError as error:
            if self._link is not None:
                self._link.close(error.close_code, str(error))
            raise self._failed(error) from error

    def _hinted(self, text: str) -> str:
        """Name the commonest reason why a port that is open is no brain."""
        if self._dsn.scheme == "http" and speaks_tls(self._dsn):
            return f"{text}: the port speaks TLS, so the DSN begins with https://"
        return text

    def _closed(self, code: int, text: str) -> Failure:
        row = CAUSES.get(code)
        if row is None:
            return Failure(_NO_BRAIN, self._hinted(f"the connection ended: {text}"))
        return Failure(row.code, f"the brain closed with {code}: {text}")

    def _failed(self, error: WireError) -> Failure:
        if error.kind == "Refused" or self._wire.challenge is not None:
            return Failure(CAUSES.get(error.close_code, AWAY).code, str(error))
        if error.kind != "Auth":
            return Failure(_NO_BRAIN, f"no z4j brain answers there: {error}")
        text = (
            f"the brain did not prove that it knows key {self._key}…: wrong secret, unknown, "
            "revoked or foreign key, or not your brain. Which one: Settings > Keys & agents > "
            "Refused, or on the brain `z4j keys refused`"
        )
        return Failure("Z4J-E110", text)

    def _shake(self, way: str) -> None:
        if self._link is not None:
            self._link.close()
        link = self._link = self._dial(way)
        link.send(self._wire.hello())
        self._wire.receive_challenge(self._await())
        link.unlock(self._wire.poll_key)
        sent_us = self._clock.wall_us()
        link.send(self._wire.register(self._register()))
        self._until(Welcome)
        self._clock_at_welcome = (sent_us + self._clock.wall_us()) // 2

    def _register(self) -> Register:
        try:
            policy = parse_policy(self._settings.allow)
        except PolicyError:
            policy = CLOSED
        return Register(
            **stream_meta(self._settings, "script", None),
            stream=self._stream,
            epoch=1,
            storage="memory",
            clock=self._clock.wall_us(),
            policy=Policy(policy.text, policy.digest),
            apps=(),
            features=(PROBE,),
        )

    def _store(self, klass: int, body: bytes) -> None:
        link = self._link
        assert link is not None
        handle = klass + 1
        segment = self._segments[klass]
        meta = stream_meta(self._settings, "script", None)
        opened = Open(handle, self._stream, 1, klass, segment, 1, meta)
        link.send(self._wire.send(RecordType.OPEN, [opened]))
        self._until(Ack)
        link.send(self._wire.events_record(handle, 1, 0, [body]))
        while all(mark != (handle, 1) for mark in self._until(Ack).marks):
            continue
        link.send(self._wire.send(RecordType.DONE, [handle]))

    def _obey(self) -> None:
        command = self._command or self._until(Command)
        result = Result(ResultState.DONE, evidence={"probe": True})
        self._store(_CONTROL, pack(result_item(command.cmd_id, result, self._clock.wall_us())))

    def _until(self, wanted: type[T]) -> T:
        while True:
            body = self._wire.receive(self._await(), self._clock.monotonic()).body
            if isinstance(body, Command):
                self._command = body
            if isinstance(body, wanted):
                return body
            if isinstance(body, Close):
                raise WireError("Closed", body.reason or "closed by the brain", body.code)

    def _await(self) -> bytes:
        assert self._link is not None
        data = self._link.receive(ANSWER_S)
        if data is None:
            raise Closed(4408, f"no answer within {ANSWER_S:g} s")
        return data

    @property
    def _key(self) -> str:
        return encode_key_id(self._dsn.key_id)[:12]

    def _ms(self, started: float) -> int:
        return int((self._clock.monotonic() - started) * 1000)


def _span(seconds: Any) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
