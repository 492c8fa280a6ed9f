"""What is odd about a schedule and allowed. The rule: said before it is saved, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, select
from z4j_core.errors import ScheduleInvalid
from z4j_core.model.commands import Level
from z4j_core.scheduler.build import Context, build, check
from z4j_core.scheduler.document import Definition
from z4j_core.scheduler.slots import Slot

from ..agents.model import agents
from ..agents.offers import Offer
from ..catalog import rollups
from ..catalog.service import merged_by_name
from ..db.histogram import quantile
from ..tasks.model import task_defs
from .store import Place
from .written import Json

_VAR_ARGS, _VAR_KWARGS = 2, 4
_DAY_US = 86_400_000_000
_STOPS = {"cancel_other": "cancel", "terminate_other": "terminate"}
_SHORTEST_OF = 50


def warn(code: str, text: str) -> Json:
    """One warning."""
    return {"code": code, "text": text}


def known_task(conn: Connection, place: Place, task: str) -> tuple[bool, Sequence[Any] | None]:
    """Whether any task of the group is known, and the parameters of this one."""
    table = task_defs.c
    own = (
        table.project_id == place.project_id, table.engine == place.engine, table.app == place.app,
    )  # fmt: skip
    found = conn.execute(select(table.params).where(*own, table.name == task)).first()
    if found is not None:
        return True, found.params or ()
    return conn.execute(select(table.name).where(*own).limit(1)).first() is not None, None


def of(
    conn: Connection, place: Place, definition: Definition, context: Context,
    offer: Offer | None, now_us: int,
) -> list[Json]:  # fmt: skip
    """Everything that is odd about a definition in a group, now."""
    found = _task(conn, place, definition)
    found += slots(definition, context, now_us // 1000)
    found += _duration(conn, place, definition, context, now_us)
    found += _overlap(conn, place, definition, offer)
    return found


def _task(conn: Connection, place: Place, definition: Definition) -> list[Json]:
    any_known, params = known_task(conn, place, definition.task)
    if params is None:
        text = f"no agent of this group has registered {definition.task!r}"
        if not any_known:
            text = "no agent of this group has told yet which tasks there are"
        return [warn("schedule.unknown_task", text)]
    return misfits(params, definition.args, definition.kwargs)


def misfits(
    params: Sequence[Sequence[Any]], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[Json]:
    """Arguments that the signature does not take, and those that it misses.

    A parameter is (name, kind, has a default, …); kinds are those of `inspect.Parameter`.
    """
    if not params:
        return []
    by_place = [each for each in params if each[1] in (0, 1)]
    any_place = any(each[1] == _VAR_ARGS for each in params)
    any_name = any(each[1] == _VAR_KWARGS for each in params)
    said = {each[0] for each in by_place[: len(args)]}
    names = {each[0] for each in params if each[1] in (1, 3)}
    found = []
    if len(args) > len(by_place) and not any_place:
        text = f"{len(args)} positional arguments, but it takes {len(by_place)}"
        found.append(warn("schedule.args_extra", text))
    for name in sorted(kwargs):
        if name not in names and not any_name:
            found.append(warn("schedule.args_unknown", f"it takes no argument {name!r}"))
        elif name in said and name in names:
            found.append(warn("schedule.args_twice", f"{name!r} is given twice"))
    for each in params:
        name, kind, has_default = each[0], each[1], bool(each[2]) if len(each) > 2 else False  # noqa: PLR2004 - third
        needed = kind not in (_VAR_ARGS, _VAR_KWARGS) and not has_default
        if needed and name not in said and name not in kwargs:
            found.append(warn("schedule.args_missing", f"argument {name!r} is missing"))
    return found


def slots(definition: Definition, context: Context, now_ms: int) -> list[Json]:
    """Whether it fires at all from now on."""
    try:
        return [warn("schedule.past", text) for text in check(definition.trigger, context, now_ms)]
    except ScheduleInvalid as error:
        return [warn(error.code, error.text)]


def _duration(
    conn: Connection, place: Place, definition: Definition, context: Context, now_us: int
) -> list[Json]:
    shortest = shortest_ms(definition, context, now_us // 1000)
    if shortest is None:
        return []
    hists = merged_by_name(
        rollups.histograms_of(
            conn, place.project_id, now_us - _DAY_US, now_us, place.engine, definition.task
        )
    )
    p95 = quantile(hists.get((place.engine, definition.task), {}), 0.95)
    if p95 is None or p95 / 1000 <= shortest:
        return []
    text = f"1 in 20 runs takes {p95 / 1e6:.1f} s or more, but it fires every {shortest / 1000:g} s"
    return [warn("schedule.overlaps", text)]


def shortest_ms(definition: Definition, context: Context, now_ms: int) -> int | None:
    """The shortest time between two of the next slots."""
    try:
        trigger = build(definition.trigger, context)
    except ScheduleInvalid:
        return None
    coming: list[Slot] = []
    slot = trigger.next(now_ms)
    while slot is not None and len(coming) < _SHORTEST_OF:
        coming.append(slot)
        slot = trigger.next(slot.at_ms)
    pairs = pairwise(coming)
    return min((after.at_ms - before.at_ms for before, after in pairs), default=None)


def _overlap(
    conn: Connection, place: Place, definition: Definition, offer: Offer | None
) -> list[Json]:
    mode = definition.rules.overlap
    if mode == "allow" and not definition.rules.require_last_success:
        return []
    found = []
    if not _workers(conn, place):
        text = f"overlap {mode} needs an agent in the workers: without one, runs are not tracked"
        found.append(warn("schedule.overlap_untracked", text))
    verb = _STOPS.get(mode)
    if verb and offer is not None and verb not in offer.verbs:
        text = f"overlap {mode} needs the verb {verb}, which no agent of this group offers"
        found.append(warn("schedule.overlap_verb", text))
    elif verb == "terminate" and offer is not None and offer.level < Level.ALL:
        text = "overlap terminate_other needs Z4J_ALLOW=all in the app"
        found.append(warn("schedule.overlap_verb", text))
    return found


def _workers(conn: Connection, place: Place) -> bool:
    query = select(agents.c.apps).where(
        agents.c.project_id == place.project_id, agents.c.connected.is_(True),
        agents.c.role == "worker",
    )  # fmt: skip
    return any(
        (each["engine"], each["app"]) == (place.engine, place.app)
        for apps in conn.execute(query).scalars()
        for each in apps or ()
    )
