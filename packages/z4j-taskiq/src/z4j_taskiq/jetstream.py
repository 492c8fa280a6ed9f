"""Queues that are subjects of NATS JetStream. The rule: a connection of our own per verb.

A stream keeps what was acknowledged for as long as its limits say, so its length tells nothing of
what waits: the consumer that workers share does.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from z4j_core import Capability, Delivery, EngineUnavailable, Held, Page, QueueDepth, Unsupported
from z4j_core.place import place

from .message import held
from .stores import Store

CONNECT_S = 2
_PORT = 4222
_ACK_WAIT_S = 30.0


class JetStream(Store):
    """A broker that publishes to one subject and reads it with one durable consumer."""

    lacks: Mapping[Capability, str] = {}

    @property
    def place(self) -> str:
        """Identity of the servers: the first of them, since they know each other."""
        servers = self.broker.servers
        parts = urlsplit(servers if isinstance(servers, str) else servers[0])
        return place("nats", parts.hostname, parts.port or _PORT, "")

    @property
    def delivery(self) -> Delivery:
        """What was not acknowledged in time is handed out again."""
        wait_s = getattr(self.broker.consumer_config, "ack_wait", None)
        return Delivery(redelivers_after_s=float(wait_s or _ACK_WAIT_S))

    @property
    def queues(self) -> tuple[str, ...]:
        """The subject the broker reads."""
        return (str(self.broker.subject),)

    def queue_of(self, labels: Mapping[str, Any]) -> str:
        """All messages go to the broker's subject, whatever their labels say."""
        return self.queues[0]

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Any]:
        """The same broker with a connection of its own."""
        async with self._connected() as js:
            lent = copy.copy(self.broker)
            lent.js = js
            yield lent

    async def depth(self, queue: str) -> QueueDepth:
        """What the workers' consumer was not handed, and what it has not acknowledged."""
        async with self._connected() as js:
            stream = await self._stream(js, queue)
            consumer = await self._consumer(js, stream)
            if consumer is None:
                return QueueDepth((await js.stream_info(stream)).state.messages)
            return QueueDepth(consumer.num_pending, unacked=consumer.num_ack_pending)

    async def purge(self, queue: str) -> int:
        """Drop the stream up to its end of now; what waited of that is counted."""
        async with self._connected() as js:
            stream = await self._stream(js, queue)
            consumer = await self._consumer(js, stream)
            state = (await js.stream_info(stream)).state
            waited = state.messages if consumer is None else consumer.num_pending
            await js._api_request(  # noqa: SLF001  (its purge knows neither an end nor a count)
                f"{js._prefix}.STREAM.PURGE.{stream}",  # noqa: SLF001
                json.dumps({"seq": state.last_seq + 1}).encode(),
            )
            return int(waited or 0)

    async def peek(self, queue: str, limit: int, cursor: str | None) -> Page:
        """The next messages, oldest first, read without a consumer."""
        async with self._connected() as js:
            stream = await self._stream(js, queue)
            state = (await js.stream_info(stream)).state
            at = int(cursor) if cursor else await self._next(js, stream, state.first_seq)
            items: list[Held] = []
            while at <= state.last_seq and len(items) < limit:
                try:
                    message = await js.get_msg(stream, at)
                except NotFoundError:
                    message = None
                at += 1
                if message is not None and message.subject == queue:
                    items.append(held(message.data or b"", queue, self.broker.serializer))
            return Page(tuple(items), str(at) if at <= state.last_seq else None)

    async def _next(self, js: Any, stream: str, first: int) -> int:
        consumer = await self._consumer(js, stream)
        delivered = 0 if consumer is None else consumer.delivered.stream_seq
        return max(first, delivered + 1)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        client = Client()
        given: dict[str, Any] = {
            "connect_timeout": CONNECT_S, "allow_reconnect": False,
            **self.broker.connection_kwargs,
        }  # fmt: skip
        try:
            await client.connect(self.broker.servers, **given)
        except (NatsError, OSError, TimeoutError) as error:
            raise EngineUnavailable(f"NATS does not answer: {error}") from error
        try:
            yield client.jetstream()
        finally:
            await client.close()

    async def _stream(self, js: Any, queue: str) -> str:
        try:
            return str(await js.find_stream_name_by_subject(queue))
        except NotFoundError as error:
            raise Unsupported("config", f"no stream has the subject {queue}") from error

    async def _consumer(self, js: Any, stream: str) -> Any:
        """The consumer of the broker's workers, None where there is none."""
        config = self.broker.consumer_config
        default = self.broker.default_consumer_name
        names = [getattr(config, "durable_name", None), self.broker.durable, default]
        for name in filter(None, names):
            try:
                return await js.consumer_info(stream, name)
            except NotFoundError:
                continue
        return None
