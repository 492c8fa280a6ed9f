"""What is planted in Celery. The rule: each hook is guarded, and `remove` takes it out.

Celery's signals are global: each handler answers only for its own app.
"""

from __future__ import annotations

import os
import threading
from functools import wraps
from importlib import import_module
from typing import Any, cast

from celery import signals
from celery.utils.imports import symbol_by_name
from celery.worker.request import Request
from z4j_core import Emit, Worker

from .control import RESUMED
from .deliveries import SPEAKING, Deliveries
from .inventory import local_worker, pool_name
from .producer import Producer
from .tap import MADE, tapped

CATCH_UP_S = 2.0
"""How long a starting worker waits at most to hear what was cancelled and paused before."""
FLUSH_S = 2.0
"""How long a stopping worker waits for its facts to be sent."""


class Hooks:
    """Signals, tap and the live request table of one app in this process."""

    def __init__(self, app: Any, emit: Emit) -> None:
        self.app = app
        self.emit = emit
        self.deliveries = Deliveries(app, emit)
        self.producer = Producer(app, emit)
        self.worker: Any = None
        self._handlers: dict[str, Any] = {}
        self._planted: list[tuple[Any, Any]] = []
        self._class: Any = None
        self._consumer: Any = None
        self._patched: dict[str, tuple[Any, Any]] = {}
        self._pid = 0
        """The worker's main process until it has caught up."""
        self._own: set[str] = set()
        """Queues this worker was started for, or told later to consume."""

    @property
    def pool(self) -> str | None:
        """Name of the pool when this process is a worker of this app."""
        return pool_name(self.worker.pool_cls) if self.worker is not None else None

    def plant(self) -> None:
        """Connect all signals; nothing is started."""
        deliveries = self.deliveries
        for signal, handler in (
            (signals.before_task_publish, self.producer.before),
            (signals.after_task_publish, self.producer.after),
            (signals.celeryd_init, self.on_celeryd_init),
            (signals.worker_init, self.on_worker_init),
            (signals.worker_ready, self.on_worker_ready),
            (signals.worker_shutdown, self.on_worker_shutdown),
            (signals.task_received, deliveries.on_received),
            (signals.task_revoked, deliveries.on_revoked),
            (signals.task_unknown, deliveries.on_unknown),
            (signals.task_rejected, deliveries.on_rejected),
        ):
            self._connect(signal, handler)

    def remove(self) -> None:
        """Take out all that was planted; a dispatcher in use goes on as a plain one."""
        for signal, receiver in self._planted:
            signal.disconnect(receiver)
        self._planted.clear()
        self.producer.everyone.discard(self.producer)
        self._handlers.clear()
        self.deliveries.remove()
        for name, (method, original) in self._patched.items():
            if getattr(Request, name) is method:
                setattr(Request, name, original)
        self._patched.clear()
        if self._class is not None:
            self.app.events.dispatcher_cls = self._class
            self.app.events.__dict__.pop("Dispatcher", None)
            self._class = None
        if self._consumer is not None:
            del self._consumer.on_decode_error, self._consumer.add_task_queue
            self._consumer = None

    def _connect(self, signal: Any, handler: Any) -> None:
        receiver = self.emit.hook(handler)
        signal.connect(receiver, weak=False)
        self._planted.append((signal, receiver))

    # The worker as a whole.

    def on_celeryd_init(self, instance: Any, **_: Any) -> None:
        """Install the tap before the worker makes its dispatcher."""
        if instance.app is not self.app or self._class is not None:
            return
        events = self.app.events
        self._class = events.dispatcher_cls
        self._handlers.update(self.deliveries.handlers())
        self._handlers[MADE] = self.emit.hook(self._before_consuming)
        base = cast("type[Any]", symbol_by_name(self._class))
        events.dispatcher_cls = tapped(base, self._handlers)
        events.__dict__.pop("Dispatcher", None)

    def on_worker_init(self, sender: Any, **_: Any) -> None:
        """Note the worker before its pool forks."""
        if sender.app is not self.app:
            return
        self.worker = sender
        self.deliveries.hostname = sender.hostname
        pool = pool_name(sender.pool_cls)
        self.deliveries.queues_in_pool = pool in ("threads", "gevent")
        if pool == "gevent":
            gevent = import_module("gevent")
            self.deliveries.place, self.deliveries.left_by = gevent.getcurrent, gevent.GreenletExit
        elif pool in ("solo", "threads"):
            self.deliveries.place = threading.get_ident
        self._watch_requests()
        self._pid = os.getpid()
        self.emit.worker_up(Worker(sender.hostname), send=False)

    def _before_consuming(self, _fields: dict[str, Any]) -> None:
        """Hear what was cancelled and paused while this worker was not there, once.

        With a connection its pool has forked. Children make dispatchers too: they hear nothing.
        """
        connection = getattr(getattr(self.worker, "consumer", None), "connection", None)
        if os.getpid() != self._pid or connection is None:
            return
        self._pid = 0
        self.emit.catch_up(CATCH_UP_S)
        queues = self.app.amqp.queues
        self._own.update(queues.consume_from)
        queues.deselect([name for name in queues.consume_from if self.emit.gate(name).closed])

    def on_worker_ready(self, sender: Any, **_: Any) -> None:
        """Report the worker; give a consumer without event dispatcher a muted tap."""
        if sender.app is not self.app:
            return
        if sender.event_dispatcher is None:
            sender.event_dispatcher = self.app.events.Dispatcher(
                connection=None, hostname=sender.hostname, enabled=False
            )
            sender.update_strategies()
        self._watch_decoding(sender)
        self._own.update(queue.name for queue in sender.task_consumer.queues)
        self._watch_resumes(sender)
        self.emit.worker_up(self.described())
        for queue in list(sender.task_consumer.queues):
            if self.emit.gate(queue.name).closed:
                sender.call_soon(sender.cancel_task_queue, queue.name)

    def on_worker_shutdown(self, sender: Any, **_: Any) -> None:
        """Say that the worker stops and leave the sender two seconds."""
        if sender is self.worker:
            self.emit.worker_down(sender.hostname, flush_s=FLUSH_S)
            self.worker = None

    def described(self) -> Worker:
        """Describe this worker as it is now."""
        return local_worker(self.worker)

    def _watch_requests(self) -> None:
        """Know whose event is heard, and hear of failures that have none."""
        told, fails = self.emit.hook(self.deliveries.on_failure), _speaking(Request.on_failure)

        @wraps(fails)
        def on_failure(request: Any, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
            told(request, exc_info)
            return fails(request, exc_info, *args, **kwargs)

        for name, method in (
            ("on_failure", on_failure), ("on_accepted", _speaking(Request.on_accepted)),
        ):  # fmt: skip
            self._patched[name] = method, getattr(Request, name)
            setattr(Request, name, method)

    def _watch_decoding(self, consumer: Any) -> None:
        original = consumer.on_decode_error
        told = self.emit.hook(self.deliveries.undecodable)

        @wraps(original)
        def on_decode_error(message: Any, exc: BaseException) -> None:
            original(message, exc)
            told(message, exc)

        consumer.on_decode_error = on_decode_error
        self._consumer = consumer

    def _watch_resumes(self, consumer: Any) -> None:
        """A resume reaches every worker of the broker: whose queue it is not goes on without it."""
        original, own = consumer.add_task_queue, self._own

        @wraps(original)
        def add_task_queue(queue: str, *args: Any, **options: Any) -> Any:
            if options.pop(RESUMED, False) and queue not in own:
                return None
            own.add(queue)
            return original(queue, *args, **options)

        consumer.add_task_queue = add_task_queue


def _speaking(method: Any) -> Any:
    """A method of a request, during which the events heard are known to be its own."""

    @wraps(method)
    def speaks(request: Any, *args: Any, **kwargs: Any) -> Any:
        token = SPEAKING.set(request)
        try:
            return method(request, *args, **kwargs)
        finally:
            SPEAKING.reset(token)

    return speaks
