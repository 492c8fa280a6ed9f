"""Lists of tasks. The rule: list, count, facets and live rows judge by the same clause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, true

from ..errors import Invalid
from ..schedules import named
from ..search import Node, Scope, compile_query, has_time, parse, terms
from ..search.keys import STATES
from ..search.window import step_us, window
from ..web.cursor import seal, unseal
from ..web.numbers import num, quoted
from . import store
from .detail import detail
from .model import tasks
from .shapes import Row, state_name, task_json
from .store import Clause

EXACT = 10_000
DRAWN = 200_000
PER_FACET = 20
DEFAULT_SORT = "-at"
_POSITIONAL = (0, 1)
__all__ = ["Ask", "clause_of", "counts_of", "detail", "rows_of", "state_name", "task_json"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question about the tasks of a project; `now_us` is the time of asking."""

    project_id: str
    q: str
    range: str
    now_us: int
    args_visible: bool


def scope_of(conn: Connection, ask: Ask, node: Node) -> Scope:
    """What the query is judged in; parameter names are read only when it asks for them."""
    positions = positions_of(conn, ask.project_id) if needs_positions(node) else {}
    return Scope(
        tasks,
        conn.dialect.name == "sqlite",
        ask.now_us,
        args_visible=ask.args_visible,
        positions=positions,
    )


def needs_positions(node: Node) -> bool:
    """Whether a term names an argument."""
    return any(getattr(term, "key", "") == "arg" for term in terms(node))


def positions_of(conn: Connection, project_id: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """(engine, definition) to the names of its positional parameters."""
    found = store.parameters(conn, project_id)
    return {place: positional(params) for place, params in found.items()}


def positional(params: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """Names of the parameters that can be given by position."""
    return tuple(param[0] for param in params if param[1] in _POSITIONAL)


def clause(conn: Connection, ask: Ask) -> Clause:
    """Query and range of one project as one clause."""
    node = parse(ask.q)
    scope = scope_of(conn, ask, node)
    if named.asks(node):
        node = named.with_ids(node, named.stored(conn, ask.project_id))
    found = compile_query(node, scope)
    return and_(tasks.c.project_id == ask.project_id, _during(ask, node), found)


def _during(ask: Ask, node: Node) -> Clause:
    if has_time(node):
        return true()
    from_us, to_us = window(ask.range, ask.now_us)
    later = tasks.c.at >= from_us
    return and_(later, tasks.c.at < to_us) if ".." in ask.range else later


def clause_of(
    conn: Connection, project_id: str, q: str, range: str | None, now_us: int,  # noqa: A002
    *, args_visible: bool,
) -> Clause:  # fmt: skip
    """Query and range as a clause, for actions on what a list shows."""
    return clause(conn, Ask(project_id, q, range or "", now_us, args_visible))


@dataclass(frozen=True, slots=True)
class Order:
    """A sort key and its direction."""

    key: str
    descending: bool


def order_of(text: str) -> Order:
    """The order that `-at` or `took` asks for.

    Raises:
        Invalid: no such key.
    """
    text = text or DEFAULT_SORT
    key = text.removeprefix("-")
    if key not in store.SORTS:
        known = ", ".join(store.SORTS)
        raise Invalid("request.invalid", f"sort is one of {known}", field="sort")
    return Order(key, text.startswith("-"))


def listed(
    conn: Connection, ask: Ask, sort: str, cursor: str, limit: int, key: bytes
) -> dict[str, Any]:
    """One page of the list; the total stands on the first page only when it is cheap."""
    order = order_of(sort)
    where = clause(conn, ask)
    purpose = f"tasks|{ask.project_id}|{sort}"
    after = unseal(key, purpose, cursor, 2) if cursor else None
    rows = store.page(
        conn, where, order.key, descending=order.descending, after=after, limit=limit + 1
    )
    more = len(rows) > limit
    items = rows[:limit]
    following = None
    if more:
        last = items[-1]
        following = seal(key, purpose, [last[store.SORTS[order.key].name], last["ref"]])
    return {
        "items": [task_json(row, ask.now_us, args_visible=ask.args_visible) for row in items],
        "next": following,
        "total": total(conn, where, ask.q),
        "as_of": ask.now_us // 1000,
    }


def total(conn: Connection, where: Clause, q: str) -> dict[str, Any]:
    """How many match: exact up to 10,000, then at least so many."""
    found = store.count(conn, where, EXACT)
    return num(min(found, EXACT), q, approx=found > EXACT)


def counts_of(
    conn: Connection, project_id: str, q: str, range: str | None, now_us: int,  # noqa: A002
    *, args_visible: bool,
) -> dict[str, Any]:  # fmt: skip
    """Numbers beside a list: the total, and one per state."""
    where = clause_of(conn, project_id, q, range, now_us, args_visible=args_visible)
    found = store.count_states(conn, where, EXACT + 1)
    approx = sum(found.values()) > EXACT
    states = {
        f"state.{STATES[state]}": num(n, narrowed(q, f"state:{STATES[state]}"), approx=approx)
        for state, n in found.items()
    }
    return {"total": num(min(sum(found.values()), EXACT), q, approx=approx)} | states


def narrowed(q: str, term: str) -> str:
    """The query that also asks for `term`."""
    if not q.strip():
        return term
    return f"({q}) {term}" if " OR " in q else f"{q} {term}"


def raw_rows(conn: Connection, project_id: str, refs: Sequence[str]) -> list[Row]:
    """Whole rows in the order of `refs`; unknown ones are left out."""
    found = {row["ref"]: row for row in store.rows(conn, project_id, refs)}
    return [found[ref] for ref in refs if ref in found]


def rows_of(
    conn: Connection, project_id: str, refs: Sequence[str], now_us: int, *, args_visible: bool
) -> list[dict[str, Any]]:
    """Tasks as the list shows them, in the order of `refs`."""
    return [
        task_json(row, now_us, args_visible=args_visible)
        for row in raw_rows(conn, project_id, refs)
    ]


def facets(conn: Connection, ask: Ask) -> dict[str, Any]:
    """The most frequent values of the columns people filter by, with counts."""
    rows = store.facet_rows(conn, clause(conn, ask), EXACT + 1)
    approx = len(rows) > EXACT
    names = ("state", "engine", "queue", "worker", "task", "release")
    found: dict[str, Any] = {}
    for index, name in enumerate(names):
        seen = Counter(row[index] for row in rows if row[index] is not None)
        found[name] = [
            _facet(ask.q, name, value, n, approx=approx) for value, n in seen.most_common(PER_FACET)
        ]
    return found


def _facet(q: str, name: str, value: Any, n: int, *, approx: bool) -> dict[str, Any]:
    text = STATES[value] if name == "state" else value
    term = f"{name}:{text if name == 'state' else quoted(text)}"
    return {"value": text, "count": num(n, narrowed(q, term), approx=approx)}


def histogram(conn: Connection, ask: Ask) -> dict[str, Any]:
    """Tasks of the range by time and state; at most 400 buckets."""
    from_us, to_us = window(ask.range, ask.now_us)
    where = clause(conn, ask)
    if from_us == 0:
        from_us = ask.now_us - 30 * 86_400_000_000
    step = step_us(from_us, to_us)
    counts: dict[int, dict[str, int]] = {}
    for at, state, n in store.buckets(conn, where, step, DRAWN):
        if at > from_us - step:
            counts.setdefault(at, {})[STATES[state]] = n
    return {
        "from_at": from_us // 1000,
        "to_at": to_us // 1000,
        "step_ms": step // 1000,
        "buckets": [{"at": at // 1000, "counts": counts[at]} for at in sorted(counts)][-400:],
    }
