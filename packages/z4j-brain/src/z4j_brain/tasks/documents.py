"""Shapes of what the endpoints of tasks give: the OpenAPI document and its tests read them."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

State = Literal[
    "unknown", "scheduled", "queued", "running", "lost", "retrying", "expired", "cancelled",
    "failed", "succeeded",
]  # fmt: skip


class Num(Struct):
    """A count; `q` opens the list that counts the same."""

    value: int
    approx: bool
    q: str | None


class Preview(Struct, omit_defaults=True):
    """A bounded text, or only `hidden`. Flags: 1 redacted, 2 truncated, 4 opaque, 8 withheld."""

    flags: int = 0
    size: int = 0
    text: str = ""
    hidden: bool = False


class Can(Struct):
    """Whether something can be done, else code, reason and what would enable it."""

    ok: bool
    code: str | None
    why: str | None
    fix: str | None


class TaskLink(Struct):
    """A task as others refer to it."""

    ref: str
    id: str
    task: str | None
    engine: str
    state: State


class _Row(Struct, kw_only=True):
    ref: str
    engine: str
    app: str
    id: str
    task: str | None
    state: State
    queue: str | None
    worker: str | None
    attempt: int
    max_attempts: int | None
    headline: str
    enqueued_at: int | None
    started_at: int | None
    finished_at: int | None
    eta_at: int | None
    at: int
    wait_us: int | None
    took_us: int | None
    exc_type: str | None
    exc_message: str | None
    replayable: bool
    priority: int | None
    host: str | None
    release: str | None
    environment: str | None
    tags: dict[str, str]
    root: str | None
    flags: list[str]
    v: int


class Task(_Row, kw_only=True):
    """A task of the list. `_at`: ms since 1970 UTC; `_us`: microseconds."""

    retry_of: str | None
    parent: str | None


class Page(Struct):
    """One page of tasks."""

    items: list[Task]
    next: str | None
    total: Num
    as_of: int
    watermark: str


class Frame(Struct):
    """One frame of a traceback."""

    file: str
    line: int
    function: str
    code: str
    in_app: bool


class Cause(Struct):
    """An exception before the last one."""

    kind: str
    type: str
    message: Preview
    traceback: Preview | None
    frames: list[Frame]
    chain: list[Any]


class Error(Struct):
    """Why a task failed."""

    type: str
    message: Preview
    traceback: Preview
    frames: list[Frame]
    chain: list[Cause]


class Definition(Struct):
    """The definition of a task; `known`: some app has registered it."""

    engine: str
    name: str | None
    known: bool


class Attempt(Struct):
    """One execution."""

    attempt: int
    run: int
    state: State
    worker: str | None
    pid: int | None
    queued_at: int | None
    received_at: int | None
    started_at: int | None
    finished_at: int | None
    took_us: int | None
    exc_type: str | None
    exc_message: str | None
    traceback: Preview | None
    next_at: int | None


class Actions(Struct):
    """What can be done to a task."""

    retry: Can
    edit_retry: Can
    cancel: Can
    terminate: Can


class Parameter(Struct):
    """One parameter of a definition."""

    name: str
    kind: int


class Fact(Struct):
    """A raw fact."""

    label: str
    value: str


class Detail(_Row, kw_only=True):
    """One task in full; other tasks are links here."""

    retry_of: TaskLink | None
    args: Preview
    kwargs: Preview
    params: list[Parameter] | None
    result: Preview | None
    error: Error | None
    definition: Definition
    attempts: list[Attempt]
    parent: TaskLink | None
    children: list[TaskLink]
    retried_as: list[TaskLink]
    actions: Actions
    facts: list[Fact]
    evidence: str | None


class Node(TaskLink):
    """A task in a workflow."""

    started_at: int | None
    finished_at: int | None


class Flow(Struct):
    """A workflow: `edges` are [parent, child] refs, for the body of a chord from each part."""

    nodes: list[Node]
    edges: list[tuple[str, str]]
    truncated: bool


class Facet(Struct):
    """A value and how often it occurs."""

    value: str
    count: Num


class Facets(Struct):
    """Values of the columns people filter by."""

    state: list[Facet]
    engine: list[Facet]
    queue: list[Facet]
    worker: list[Facet]
    task: list[Facet]
    release: list[Facet]


class Bucket(Struct):
    """Counts by state of one step."""

    at: int
    counts: dict[str, int]


class Histogram(Struct):
    """Tasks by time and state."""

    from_at: int
    to_at: int
    step_ms: int
    buckets: list[Bucket]


class Key(Struct, omit_defaults=True):
    """A key of the query language."""

    name: str
    kind: str
    doc: str
    values: list[str] = []


class Schema(Struct):
    """The query language's keys."""

    keys: list[Key]


class Item(Struct):
    """Something that could stand in a query."""

    text: str
    kind: Literal["key", "value", "op"]
    count: int | None
    hint: str


class Complete(Struct):
    """What could replace the characters `from` to `to`."""

    items: list[Item]
    to: int
    start: int = field(name="from")
