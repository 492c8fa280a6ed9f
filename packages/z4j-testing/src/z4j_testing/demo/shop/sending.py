"""How each department is asked for one thing, with an id and a delay. One function a queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from .handing_on import pool, waited


class Wish(NamedTuple):
    """What somebody wants done; `delay_s` None: at once."""

    task: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    task_id: str
    delay_s: float | None = None


def celery(wish: Wish) -> None:
    """Orders, payments, mail."""
    from .app import app  # noqa: PLC0415  (only departments that are asked are loaded)

    app.send_task(
        wish.task, wish.args, dict(wish.kwargs), task_id=wish.task_id, countdown=wish.delay_s
    )


def rq(wish: Wish) -> None:
    """Invoices."""
    from . import invoices  # noqa: PLC0415  (as above)

    given = {"args": wish.args, "kwargs": wish.kwargs, "job_id": wish.task_id}
    if wish.delay_s is None:
        invoices.queue.enqueue(wish.task, **given)
    else:
        invoices.queue.enqueue_in(timedelta(seconds=wish.delay_s), wish.task, **given)


def dramatiq(wish: Wish) -> None:
    """The warehouse."""
    from . import warehouse  # noqa: PLC0415  (as above)

    actor = warehouse.broker.get_actor(wish.task)
    message = actor.message_with_options(args=tuple(wish.args), kwargs=dict(wish.kwargs))
    delay = None if wish.delay_s is None else int(wish.delay_s * 1000)
    warehouse.broker.enqueue(message.copy(message_id=wish.task_id), delay=delay)


def huey(wish: Wish) -> None:
    """The catalogue."""
    from . import catalogue  # noqa: PLC0415  (as above)

    wrapper = getattr(catalogue, wish.task.rpartition(".")[2])
    task = wrapper.s(*wish.args, **wish.kwargs)
    task.id = wish.task_id
    if wish.delay_s is not None:
        task.eta = (datetime.now(UTC) + timedelta(seconds=wish.delay_s)).replace(tzinfo=None)
    catalogue.huey.enqueue(task)


def arq(wish: Wish) -> None:
    """The carriers."""
    waited(_arq(wish))


async def _arq(wish: Wish) -> None:
    given = {**wish.kwargs, "_job_id": wish.task_id, "_defer_by": wish.delay_s}
    await (await pool()).enqueue_job(wish.task, *wish.args, **given)


def taskiq(wish: Wish) -> None:
    """The search; it has no delays."""
    from . import search  # noqa: PLC0415  (as above)

    task = search.broker.find_task(wish.task)
    assert task is not None
    kicker = task.kicker().with_task_id(wish.task_id)
    waited(kicker.kiq(*wish.args, **wish.kwargs))


SEND: Mapping[str, Callable[[Wish], None]] = {
    "celery": celery, "rq": rq, "dramatiq": dramatiq, "huey": huey, "arq": arq, "taskiq": taskiq,
}  # fmt: skip
