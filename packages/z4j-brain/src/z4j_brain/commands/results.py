"""Answers of agents become the state of commands. The rule: a repetition corrects nothing.

A terminal state gives way only to an answer that knows more (after `no_answer`, `expired`).

A command for processes is answered by several agents: per target the strongest answer wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, select, update

from ..tasks.model import ref_of, tasks
from .model import bulk_items, bulks, commands

STATE_OF_RESULT = {
    1: "accepted",
    2: "done",
    3: "partial",
    4: "refused",
    5: "failed",
    6: "expired",
    7: "indeterminate",
}
OPEN = frozenset({"ready", "sent", "accepted"})
_CORRECTABLE = OPEN | {"no_answer", "expired"}
_DUPLICATE = 8
_STRENGTH = {code: n for n, code in enumerate((1, 5, 8, 9, 6, 3, 4, 7, 2, 0))}
_SETTLES = frozenset({0, 2, 3, 4, 6, 7})
_ITEM_OF_CODE = {
    0: ("done", None),
    1: ("skipped", "task.not_here"),
    2: ("skipped", "task.state_changed"),
    3: ("refused", "policy.refused"),
    4: ("failed", "engine.error"),
    5: ("skipped", "task.not_found"),
    6: ("skipped", "replay.missing"),
    7: ("indeterminate", "engine.indeterminate"),
    8: ("failed", "command.not_started"),
    9: ("undone", "command.aborted"),
}
_STATE_STRENGTH = ("expired", "refused", "failed", "indeterminate", "partial", "done")
_PROCESS = 2
ENDED_ITEMS = frozenset(
    {"done", "skipped", "refused", "failed", "expired", "duplicate", "indeterminate", "undone"}
)

Target = tuple[int, int, str | None, str | None]
"""(index, code, new id, detail)"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One RESULT of one agent."""

    cmd_id: str
    stream: str
    at_us: int
    state: int
    code: str = ""
    detail: str | None = None
    evidence: Mapping[str, Any] | None = None
    targets: tuple[Target, ...] = ()
    rule: str | None = None
    took_ms: int | None = None


def apply_results(
    conn: Connection, project_id: str, answers: Sequence[Answer], now_us: int
) -> tuple[list[str], list[str]]:
    """Apply answers to the project's commands; returns ids of changed commands and bulks."""
    changed: list[str] = []
    touched: set[str] = set()
    for answer in answers:
        if answer.state == _DUPLICATE:
            continue
        row = (
            conn.execute(
                select(commands)
                .where(
                    and_(commands.c.cmd_id == answer.cmd_id, commands.c.project_id == project_id)
                )
                .with_for_update()
            )
            .mappings()
            .first()
        )
        if row is None or row["state"] not in _CORRECTABLE:
            continue
        _apply(conn, dict(row), answer, now_us)
        changed.append(answer.cmd_id)
        if row["bulk_id"]:
            touched.add(row["bulk_id"])
    for bulk_id in sorted(touched):
        recount(conn, bulk_id, now_us)
    return changed, sorted(touched)


def _apply(conn: Connection, row: dict[str, Any], answer: Answer, now_us: int) -> None:
    result = merged(row["result"], answer)
    state = STATE_OF_RESULT.get(answer.state, "failed")
    if row["scope"] & _PROCESS:
        state = process_state(row, result)
    final = state not in OPEN
    conn.execute(
        update(commands)
        .where(commands.c.cmd_id == answer.cmd_id)
        .values(
            result=result,
            state=state,
            finished=now_us if final else None,
            v=commands.c.v + 1,
        )
    )
    _apply_items(conn, row, result, state)


def merged(stored: Mapping[str, Any] | None, answer: Answer) -> dict[str, Any]:
    """The result document of a command with one more answer in it."""
    result = dict(stored or {})
    answers = dict(result.get("answers") or {})
    answers[answer.stream] = answer.state
    stored_targets: list[tuple[Any, ...]] = [tuple(each) for each in result.get("targets") or []]
    targets = {target[0]: target for target in stored_targets}
    for target in answer.targets:
        known = targets.get(target[0])
        if known is None or _STRENGTH.get(target[1], 0) > _STRENGTH.get(known[1], 0):
            targets[target[0]] = target
    stronger = len(answers) == 1 or answer.state in {2, 3}
    for name in ("code", "detail", "rule", "took_ms", "evidence"):
        value = getattr(answer, name)
        if value is not None and (stronger or result.get(name) is None):
            result[name] = dict(value) if isinstance(value, Mapping) else value
    result["answers"] = answers
    result["targets"] = [list(targets[index]) for index in sorted(targets)]
    result["at"] = answer.at_us
    return result


def process_state(row: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """State of a command that went to several processes: open until all spoke or all settled."""
    targets = result["targets"]
    settled = len(targets) >= len(row["targets"]) > 0 and all(t[1] in _SETTLES for t in targets)
    answered = {
        stream: STATE_OF_RESULT.get(state, "failed") for stream, state in result["answers"].items()
    }
    waiting = set(row["sent_to"] or ()) - {s for s, state in answered.items() if state not in OPEN}
    if waiting and not settled:
        return "accepted"
    if targets:
        good = sum(1 for target in targets if target[1] in {0, 2})
        if good:
            return "done" if good == len(targets) else "partial"
    ended = [state for state in answered.values() if state not in OPEN]
    return max(ended, key=_STATE_STRENGTH.index, default="accepted")


def _apply_items(
    conn: Connection, row: Mapping[str, Any], result: Mapping[str, Any], state: str
) -> None:
    if state in OPEN:
        if row["bulk_id"]:
            _mark_items(conn, row["cmd_id"], ("held", "sealed", "sent"), state="accepted")
        return
    spoken = set()
    for index, code, new_id, detail in result["targets"]:
        spoken.add(index)
        _apply_target(conn, row, (index, code, new_id, detail))
    if row["bulk_id"] and len(spoken) < len(row["targets"]):
        item = "done" if state == "done" else "failed" if state == "partial" else state
        _mark_items(
            conn,
            row["cmd_id"],
            ("held", "sealed", "sent", "accepted"),
            state=item,
            code=result.get("code") or None,
            detail=result.get("detail"),
        )


def _apply_target(conn: Connection, row: Mapping[str, Any], target: Target) -> None:
    index, code, new_id, detail = target
    if index >= len(row["targets"]):
        return
    new_ref = None
    if new_id:
        place = (row["project_id"], row["engine"], row["app"])
        new_ref = ref_of(*place, new_id)
        if row["verb"] in {"retry", "requeue", "enqueue"} and new_id != row["targets"][index]:
            _link(conn, ref_of(*place, row["targets"][index]), row["targets"][index], new_ref)
    if not row["bulk_id"]:
        return
    state, name = _ITEM_OF_CODE.get(code, ("failed", "engine.error"))
    conn.execute(
        update(bulk_items)
        .where(and_(bulk_items.c.cmd_id == row["cmd_id"], bulk_items.c.pos == index))
        .values(state=state, code=name, detail=detail, new_id=new_id, new_ref=new_ref)
    )


def _link(conn: Connection, old_ref: str, old_id: str, new_ref: str) -> None:
    conn.execute(
        update(tasks)
        .where(and_(tasks.c.ref == old_ref, tasks.c.retried_as.is_distinct_from(new_ref)))
        .values(retried_as=new_ref, v=tasks.c.v + 1)
    )
    conn.execute(
        update(tasks)
        .where(and_(tasks.c.ref == new_ref, tasks.c.retry_of.is_(None)))
        .values(retry_of=old_id, v=tasks.c.v + 1)
    )


def _mark_items(conn: Connection, cmd_id: str, states: Iterable[str], **values: str | None) -> None:
    conn.execute(
        update(bulk_items)
        .where(and_(bulk_items.c.cmd_id == cmd_id, bulk_items.c.state.in_(tuple(states))))
        .values(**values)
    )


def recount(conn: Connection, bulk_id: str, now_us: int) -> None:
    """Count a bulk's items by state; a running bulk without open items is done."""
    found = conn.execute(
        select(bulk_items.c.state, func.count())
        .where(bulk_items.c.bulk_id == bulk_id)
        .group_by(bulk_items.c.state)
    )
    counts = {row[0]: row[1] for row in found}
    ended = all(state in ENDED_ITEMS for state in counts)
    conn.execute(update(bulks).where(bulks.c.id == bulk_id).values(counts=counts, v=bulks.c.v + 1))
    if ended:
        conn.execute(
            update(bulks)
            .where(and_(bulks.c.id == bulk_id, bulks.c.state.in_(("running", "held"))))
            .values(state="done", finished=now_us)
        )
