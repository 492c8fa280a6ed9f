"""From what Celery says to a TaskEvent. The rule: live objects where there are any, else text."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from json import loads
from typing import Any

from kombu import serialization
from z4j_core import ErrorText, EventKind, Native, TaskEvent

from .message import pack_context

_dumps: Any = serialization.dumps
_CONSTANTS = {"None": None, "True": True, "False": False}
_LITERAL_MAX = 1000
_FRAMES = 16
_PID_MAX = 1 << 22
_NOT_JSON = re.compile(r'["\\(]|None|True|False')
_RETRY = re.compile(r"^Retry\(Retry\(\.\.\.\), (.*\)), [^,]*\)$", re.DOTALL)
_RAISED = re.compile(r"(?m)^([A-Za-z_][\w.]*)(?:: |$)")

Route = Callable[[str, str], str]


def pid_of(request: Any) -> int | None:
    """Process that runs a task; gevent's pool gives the address of a greenlet of this one."""
    pid: int | None = request.worker_pid
    return pid if pid is None or pid <= _PID_MAX else os.getpid()


def parent_of(task_id: str, parent_id: str | None) -> str | None:
    """Name the run that sent a task; Celery calls a retried one its own parent."""
    return None if parent_id == task_id else parent_id


def of_context(kind: EventKind, context: Any, task: Any, queue_of: Route, **more: Any) -> TaskEvent:
    """State a fact of which only the running task's context is known (pool child, early revoke)."""
    delivery = context.delivery_info or {}
    return TaskEvent(
        kind,
        context.id,
        (context.retries or 0) + 1,
        task.name,
        queue_of(delivery.get("exchange") or "", delivery.get("routing_key") or ""),
        context.hostname,
        context.args,
        context.kwargs,
        priority=delivery.get("priority"),
        root_id=context.root_id,
        parent_id=parent_of(context.id, context.parent_id),
        group_id=context.group,
        native=partial(_encoded, context, task),
        **more,
    )


def _encoded(context: Any, task: Any) -> Native:
    embed = {
        key: getattr(context, key, None) for key in ("callbacks", "errbacks", "chain", "chord")
    }
    serializer = task.serializer or task.app.conf.task_serializer
    content_type, encoding, body = _dumps((context.args, context.kwargs, embed), serializer)
    context.task = task.name
    return pack_context(context, content_type, encoding, body)


def error_text(exception: str, traceback: str | None) -> ErrorText:
    """Split Celery's text of an exception into type, message and traceback."""
    reason = _RETRY.match(exception)
    if reason is not None:
        exception = reason[1]
    short = exception.partition("(")[0]
    last = traceback.rstrip().rpartition("\n  ")[2] if traceback else ""
    any_type = short == "ExceptionWithTraceback" or not short.isidentifier()
    found = next(
        (m for m in _RAISED.finditer(last) if any_type or m[1].rpartition(".")[2] == short), None
    )
    if found is not None:
        return ErrorText(found[1], last[found.end() :], traceback)
    inner = exception[len(short) + 1 : -1] if exception.endswith(")") else exception
    return ErrorText(short or "Exception", str(value_of(inner.rstrip(","))), traceback)


def entry_here() -> str | None:
    """The name of the entry that `celery beat` sends in this thread, if it does.

    Beat tells it to nobody, and its messages carry it only where django-celery-beat makes them.
    """
    beat: Any = sys.modules.get("celery.beat")
    send = None if beat is None else beat.Scheduler.apply_async.__code__
    frame = None if send is None else sys._getframe(1)  # noqa: SLF001  (the documented way)
    for _ in range(_FRAMES):
        if frame is None:
            break
        if frame.f_code is send:
            return str(frame.f_locals["entry"].name)
        frame = frame.f_back
    return None


def value_of(text: object) -> object:
    """Turn Celery's repr of a result back into plain data, so that secrets in it can be found.

    Text that is no literal (an object's repr, a cut one) stays text.
    """
    if not isinstance(text, str) or text in _CONSTANTS:
        return _CONSTANTS.get(text, text) if isinstance(text, str) else text
    if not text or len(text) > _LITERAL_MAX or text[0] not in "-0123456789'\"{[(":
        return text
    if text.isdigit() and (text[0] != "0" or text == "0"):
        return int(text)
    if _NOT_JSON.search(text) is None:  # several times faster than the parser of Python
        with contextlib.suppress(ValueError):
            return loads(text.replace("'", '"'))
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def epoch(when: Any, zone: Any) -> float | None:
    """Seconds since 1970 of an eta: None, ISO 8601 text or a datetime; naive means `zone`."""
    if when is None:
        return None
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    return float((when if when.tzinfo else when.replace(tzinfo=zone or UTC)).timestamp())
