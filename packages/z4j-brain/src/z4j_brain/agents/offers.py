"""What the connected agents of a project offer. The rule: no agent in front of it, no promise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select
from z4j_core.model.commands import LEVEL_OF_VERB, Level

from .model import agents

WHY = {
    "agent.none": "no connected agent of this engine and broker",
    "engine.unsupported": "this engine cannot do it here",
    "policy.level": "the local policy of the app does not permit it",
}
FIX = {
    "agent.none": "start a worker or app with z4j and the key of this project",
    "policy.level": "set Z4J_ALLOW to at least the level this action needs",
}
REASONS = {
    "broker": "this broker cannot do it",
    "pool": "the worker's pool cannot do it: tasks share one process",
    "config": "the app's configuration rules it out",
    "version": "the installed version of the engine cannot do it",
    "eager": "the app runs tasks eagerly, nothing is sent",
    "engine": "this engine has no such thing",
    "needs_supervisor": "nothing would start the worker again",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What one engine on one broker can be asked: verb to scope, gaps with reasons, base level."""

    engine: str
    app: str
    verbs: Mapping[str, int] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    level: Level = Level.OBSERVE


@dataclass(frozen=True, slots=True)
class Can:
    """Whether something can be done, else the code, the sentence and what would enable it."""

    ok: bool
    code: str | None = None
    why: str | None = None
    fix: str | None = None


def offers(conn: Connection, project_id: str) -> dict[tuple[str, str], Offer]:
    """Offers by (engine, app), merged over all connected agents."""
    rows = conn.execute(
        select(agents.c.apps, agents.c.policy).where(
            agents.c.project_id == project_id, agents.c.connected.is_(True)
        )
    )
    return merged((apps or (), base_level(policy or "")) for apps, policy in rows)


def merged(
    told: Iterable[tuple[Iterable[Mapping[str, Any]], Level]],
) -> dict[tuple[str, str], Offer]:
    """Offers of several agents as one per (engine, app): what any of them can do."""
    found: dict[tuple[str, str], Offer] = {}
    for apps, level in told:
        for each in apps:
            engine, app = each["engine"], each["app"]
            known = found.get((engine, app), Offer(engine, app))
            scopes = dict(known.verbs)
            for verb, scope in each["verbs"].items():
                scopes[verb] = scopes.get(verb, 0) | scope
            gaps = dict(known.unavailable) | dict(each.get("unavailable") or {})
            found[engine, app] = Offer(engine, app, scopes, gaps, max(known.level, level))
    return found


def can(offer: Offer | None, verb: str) -> Can:
    """Whether an offer holds a verb."""
    if offer is None:
        return _cannot("agent.none")
    if verb not in offer.verbs:
        reason = offer.unavailable.get(verb, "")
        return Can(
            ok=False,
            code="engine.unsupported",
            why=REASONS.get(reason) or WHY["engine.unsupported"],
        )
    if offer.level < LEVEL_OF_VERB.get(verb, Level.ALL):
        return _cannot("policy.level")
    return Can(ok=True)


def _cannot(code: str) -> Can:
    return Can(ok=False, code=code, why=WHY[code], fix=FIX.get(code))


def base_level(policy: str) -> Level:
    """The level of a policy text where no glob narrows or widens it; unreadable means observe."""
    level = Level.OBSERVE
    for rule in policy.split(","):
        head = rule.strip().partition("+")[0].partition("-")[0]
        if "=" not in head and head.upper() in Level.__members__:
            level = Level[head.upper()]
    return level


def can_json(verdict: Can) -> dict[str, Any]:
    """A verdict as the API shows it."""
    return {"ok": verdict.ok, "code": verdict.code, "why": verdict.why, "fix": verdict.fix}
