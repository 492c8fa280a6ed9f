"""What this process sends. The rule: Celery's own retry of the running task is no new enqueue."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar
from weakref import WeakSet

from z4j_core import Emit, EventKind, TaskEvent
from z4j_core.scheduler.fires import HEADER

from .facts import entry_here, epoch
from .message import NATIVE
from .routes import Routes


class Producer:
    """Handlers of `before_task_publish` and `after_task_publish` for one app.

    Celery's publish signals name no app. With one observed app it is the sender; with several it
    is the one to whose queues the message was declared, else the one that knows the task.
    """

    everyone: ClassVar[WeakSet[Producer]] = WeakSet()

    def __init__(self, app: Any, emit: Emit) -> None:
        self.app = app
        self.emit = emit
        self._sending = threading.local()
        self._routes = Routes(app)
        self.everyone.add(self)

    def before(
        self, headers: Mapping[str, Any], properties: Any, declare: Any = None, **_: Any
    ) -> None:
        """Keep what only this signal knows until the message is out."""
        mine = len(self.everyone) == 1 or self._declared(declare)
        self._sending.now = (headers, mine, (properties or {}).get("priority"))

    def after(
        self, sender: str, body: Any, headers: Any, exchange: Any, routing_key: str, **_: Any
    ) -> None:
        """Report a message that the broker has taken."""
        unknown: tuple[Any, bool, int | None] = (None, False, None)
        kept, mine, priority = getattr(self._sending, "now", None) or unknown
        self._sending.now = None
        if kept is None or kept is not headers or not mine or not isinstance(body, tuple):
            return
        task_id = headers["id"]
        if self._is_own_retry(task_id):
            return
        due_at = epoch(headers.get("eta"), self.app.timezone)
        self.emit(
            TaskEvent(
                EventKind.ENQUEUED if due_at is None else EventKind.SCHEDULED,
                task_id,
                (headers.get("retries") or 0) + 1,
                sender,
                self._routes.queue_of(getattr(exchange, "name", exchange), routing_key),
                args=body[0],
                kwargs=body[1],
                due_at=due_at,
                expires_at=epoch(headers.get("expires"), self.app.timezone),
                priority=priority,
                root_id=headers.get("root_id"),
                parent_id=headers.get("parent_id"),
                group_id=headers.get("group") or self._awaited_group(task_id),
                fire=headers.get(HEADER),
                schedule=headers.get(NATIVE) or entry_here(),
            )
        )

    def _is_own_retry(self, task_id: str) -> bool:
        running = self.app.current_task
        return running is not None and running.request.id == task_id

    def _awaited_group(self, task_id: str) -> str | None:
        """The group whose last part sends this message as the body of its chord.

        The message itself names it in newer releases only.
        """
        running = self.app.current_task
        if running is None:
            return None
        body, group = running.request.chord, running.request.group
        return group if body and body["options"].get("task_id") == task_id else None

    def _declared(self, declare: Any) -> bool:
        queues = self.app.amqp.queues
        return any(queues.get(getattr(queue, "name", None)) is queue for queue in declare or ())
