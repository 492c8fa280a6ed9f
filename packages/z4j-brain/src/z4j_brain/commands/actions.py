"""The table of actions an operator can take. The rule: one row says everything about one action."""

from __future__ import annotations

from dataclasses import dataclass

from z4j_core.model.tasks import TaskState

_ENDED_BADLY = (TaskState.FAILED, TaskState.CANCELLED, TaskState.EXPIRED, TaskState.LOST)
WAITING = (TaskState.SCHEDULED, TaskState.QUEUED, TaskState.RETRYING)


@dataclass(frozen=True, slots=True)
class Action:
    """`right` is what authorize() is asked; `about` is what its targets are.

    `states`: a target in another state is skipped. `typed`: what must be typed to confirm.
    `ttl_s`: seconds a command may wait for an agent.
    """

    verb: str
    right: str
    about: str
    effect: str
    states: tuple[TaskState, ...] = ()
    needs_record: bool = False
    needs_reason: bool = False
    typed: str | None = None
    ttl_s: int = 120
    params: tuple[str, ...] = ()
    single: bool = False
    """One command per target, made when it is sent."""


ACTIONS: dict[str, Action] = {
    "retry": Action(
        "retry", "task.retry", "task",
        "Each task is sent again with its original arguments, under a new id.",
        (*_ENDED_BADLY, TaskState.SUCCEEDED), needs_record=True, ttl_s=300,
        params=("queue", "eta"),
    ),
    "requeue": Action(
        "requeue", "dead_letter.requeue", "task",
        "Each message leaves the dead letters and goes back to its queue.",
        (TaskState.FAILED,), ttl_s=300,
    ),
    "cancel": Action(
        "cancel", "task.cancel", "task",
        "Waiting tasks are taken back; running ones are asked to stop.",
        (*WAITING, TaskState.RUNNING),
    ),
    "terminate": Action(
        "terminate", "task.terminate", "task",
        "The processes that run these tasks are killed; nothing is cleaned up.",
        (TaskState.RUNNING,), needs_reason=True, typed="count",
    ),
    "enqueue": Action(
        "enqueue", "task.enqueue", "definition",
        "One new task is sent with the arguments you typed.",
        needs_reason=True, params=("args", "kwargs", "queue", "eta"),
    ),
    "retry_edited": Action(
        "enqueue", "task.retry_edited", "definition",
        "One new task is sent with the arguments you edited; the old one stays as it is.",
        needs_reason=True, params=("args", "kwargs", "queue", "eta"),
    ),
    "pause": Action(
        "pause", "queue.pause", "queue",
        "Workers stop taking tasks from these queues; what runs goes on.",
    ),
    "resume": Action(
        "resume", "queue.resume", "queue", "Workers take tasks from these queues again."
    ),
    "purge": Action(
        "purge", "queue.purge", "queue",
        "Everything waiting in this queue is dropped and cannot be brought back.",
        needs_reason=True, typed="target",
    ),
    "rate_limit": Action(
        "rate_limit", "queue.rate_limit", "definition",
        "Each worker starts this task at most so often.", params=("per_second",),
    ),
    "pool": Action(
        "pool", "pool.resize", "worker", "The worker's pool changes its size.",
        needs_reason=True, typed="target", params=("delta",),
    ),
    "restart": Action(
        "restart", "worker.restart", "worker", "The worker's pool is started anew.",
        needs_reason=True, typed="target",
    ),
    "backfill": Action(
        "fire", "schedule.backfill", "fire", "Each slot of the past is fired once.", single=True
    ),
}  # fmt: skip

SKIPPED = {
    "task.state_changed": "no longer in a state this action is for",
    "replay.missing": "no stored message to send again",
    "replay.expired": "the stored message has expired",
    "agent.none": "no connected agent of this engine and broker",
    "engine.unsupported": "this engine cannot do it here",
    "policy.level": "the local policy of the app does not permit it",
    "schedule.gone": "the schedule was deleted meanwhile",
}
"""Why a target is left out, as a sentence."""
