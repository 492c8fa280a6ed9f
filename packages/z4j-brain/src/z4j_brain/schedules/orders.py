"""Fires by command: one now, one again, many of the past. The rule: arguments come from the row.

Who orders a fire names the schedule and never the arguments; the agent compares their digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row
from z4j_core.scheduler.document import Definition, read_definition
from z4j_core.scheduler.fires import backfill_id, digest, fire_id, manual_id, replay_id

from ..agents.offers import Offer, can, offers
from ..commands.release import WAIT
from ..commands.seal import NewCommand, add_command
from ..db.rootkeys import RootKeys
from ..errors import Conflict, NotFound
from . import firerows, store
from .service import By
from .written import Json, definition_of

TIMER, MANUAL, CATCHUP, BACKFILL, REPLAY = 1, 2, 3, 4, 5
VERB = "fire"
WAIT_US = 120_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """One fire of a schedule; `nonce` is None for one of a timer.

    Its command waits for an agent at most `wait_us`.
    """

    row: Row[Any]
    definition: Definition
    slot_ms: int
    trigger: int
    nonce: str | None = None
    revision: int = 0
    actor: str | None = None
    wait_us: int = WAIT_US

    @property
    def id(self) -> str:
        """The id it has wherever it is computed."""
        schedule, nonce = self.row.id, self.nonce or ""
        if self.trigger == MANUAL:
            return manual_id(schedule, nonce)
        if self.trigger == BACKFILL:
            return backfill_id(schedule, nonce, self.slot_ms)
        if self.trigger == REPLAY:
            return replay_id(schedule, nonce)
        return fire_id(schedule, self.row.generation, self.slot_ms)

    def params(self, now_us: int) -> Json:
        """What the command says; arguments travel as JSON text, that nothing of them changes."""
        definition = self.definition
        args, kwargs = text_of(list(definition.args)), text_of(definition.kwargs)
        expires_s = definition.rules.expires_after_s
        return {
            "schedule": self.row.id, "generation": self.row.generation, "slot": self.slot_ms,
            "nonce": self.nonce, "fire_id": self.id, "trigger": self.trigger,
            "revision": self.revision or self.row.revision, "actor": self.actor,
            "expires": None if expires_s is None else now_us + expires_s * 1_000_000,
            "digest": digest(definition.task, json.loads(args), json.loads(kwargs)).hex(),
            "invocation": {
                "task": definition.task, "args": args, "kwargs": kwargs,
                "queue": definition.queue, "priority": definition.priority,
                "options": text_of(definition.options), "headers": text_of(definition.headers),
            },
        }  # fmt: skip


def text_of(value: Any) -> str:
    """A value as JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def able(conn: Connection, row: Row[Any]) -> Offer:
    """Who can fire in the group of a schedule.

    Raises:
        Conflict: nobody; the code says why.
    """
    offer = offers(conn, row.project_id).get((row.engine, row.app))
    verdict = can(offer, VERB)
    if offer is None or not verdict.ok:
        raise Conflict(verdict.code or "agent.none", verdict.why or "", fix=verdict.fix)
    return offer


def order(
    conn: Connection, roots: RootKeys, fire: Fire, by: By, cmd_id: str, reason: str = ""
) -> str:
    """Send a fire; returns the id of its command.

    Raises:
        Conflict: nobody can; the code says why.
    """
    offer, row = able(conn, fire.row), fire.row
    return add_command(conn, roots, NewCommand(
        cmd_id=cmd_id, project_id=row.project_id, engine=row.engine, app=row.app, verb=VERB,
        scope=offer.verbs[VERB], targets=[fire.id], params=fire.params(by.now_us),
        actor=[by.user_id, by.name, by.via], reason=reason[:500],
        deadline_us=by.now_us + fire.wait_us, created_us=by.now_us,
    ))  # fmt: skip


def by_hand(row: Row[Any], by: By, nonce: str) -> Fire:
    """A fire now, whatever the timer says."""
    return Fire(
        row=row, definition=definition_of(row), slot_ms=by.now_ms, trigger=MANUAL, nonce=nonce,
        actor=by.name,
    )  # fmt: skip


def again(conn: Connection, row: Row[Any], told: Row[Any], which: str, by: By, nonce: str) -> Fire:
    """A fire of before once more: as the schedule is now, or as it was then.

    Raises:
        NotFound: what it was then is not known any more.
    """
    definition, revision = definition_of(row), row.revision
    if which == "then":
        old = store.revision_at(conn, row.id, told.revision)
        if old is None:
            raise NotFound("not_found", "what the schedule was then is not known any more")
        state: Json = json.loads(old.state)
        state.pop("enabled", None)
        definition, revision = read_definition(state), old.revision
    return Fire(
        row=row, definition=definition, slot_ms=told.slot_ms, trigger=REPLAY, nonce=nonce,
        revision=revision, actor=by.name,
    )  # fmt: skip


def ordered(
    conn: Connection, bulk: Row[Any], item: Row[Any], now_us: int
) -> Mapping[str, Any] | str:
    """What the command for one slot of a backfill says, or why there is none."""
    said: Json = bulk.params or {}
    row = store.one(conn, bulk.project_id, said["schedule"])
    if row is None:
        return "schedule.gone"
    definition = definition_of(row)
    since_us = now_us - definition.rules.overlap_timeout_s * 1_000_000
    if said["overlap"] != "allow" and firerows.any_running(conn, bulk.id, since_us):
        return WAIT
    fire = Fire(
        row=row, definition=definition, slot_ms=item.slot_ms, trigger=BACKFILL,
        nonce=bulk.id, actor=bulk.by,
    )  # fmt: skip
    return fire.params(now_us)
