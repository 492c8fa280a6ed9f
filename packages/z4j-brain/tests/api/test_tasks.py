"""Lists and pages of tasks over HTTP."""

from __future__ import annotations

import random

import msgspec
import pytest
from sqlalchemy import insert
from z4j_brain.agents.model import agents
from z4j_brain.tasks import documents
from z4j_brain.tasks.model import attempts, task_defs
from z4j_brain.tasks.service import Ask, clause
from z4j_brain.tasks.store import SORTS, page

P = "/api/v1/projects/shop"
LIST = f"{P}/tasks"
TRACE = """Traceback (most recent call last):
  File "/srv/app/shop/pay.py", line 10, in charge
    gateway.send(card)
ConnectionError: refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/celery/app/trace.py", line 451, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/srv/app/shop/pay.py", line 14, in charge
    raise CardDeclined("tok_1") from error
shop.pay.CardDeclined: tok_1
"""


def checked(answer, shape):
    """The answer's JSON, after it was found to be of the documented shape and nothing more."""
    assert answer.status_code == 200, answer.text
    typed = msgspec.json.decode(answer.content, type=shape, strict=True)
    assert set(msgspec.to_builtins(typed)) <= set(answer.json()) | {"retry_of"}
    return answer.json()


def mixed(chance, count, now):
    moment = lambda: chance.choice([None, now - chance.randrange(50_000_000)])  # noqa: E731
    return [
        {
            "state": chance.choice([2, 3, 8, 9]), "at": now - chance.randrange(50_000_000),
            "name": chance.choice(["shop.charge", "shop.mail", None]), "started": moment(),
            "queue": chance.choice(["pay", "mail", None]), "finished": moment(),
            "wait_us": chance.choice([None, 1, 2, 3]), "runtime_us": chance.choice([None, 5, 6]),
            "attempt": chance.randrange(3), "worker": chance.choice(["w1", "w2", None]),
        }
        for _ in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("key", SORTS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_paging_shows_every_task_once_in_order_with_unknown_values_last(world, key, sign):
    refs = world.add_tasks(*mixed(random.Random(5), 53, world.clock.us))
    client = world.client("viewer")
    shown, cursor = [], None

    while True:
        query = {"sort": f"{sign}{key}", "limit": 7} | ({"cursor": cursor} if cursor else {})
        found = checked(client.get(LIST, params=query), documents.Page)
        shown += found["items"]
        cursor = found["next"]
        if cursor is None:
            break

    assert sorted(each["ref"] for each in shown) == sorted(refs)
    field = {"started": "started_at", "finished": "finished_at", "wait": "wait_us",
             "took": "took_us"}.get(key, key)  # fmt: skip
    values = [each[field] for each in shown]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=bool(sign))
    assert values[: len(known)] == known


def test_the_range_of_the_page_holds_unless_the_query_speaks_of_time(world):
    hour = 3_600_000_000
    world.add_tasks({"at": world.clock.us - hour // 2}, {"at": world.clock.us - 2 * hour})
    client = world.client("viewer")

    def n(**query):
        return client.get(f"{P}/count", params=query).json()["value"]

    assert [n(), n(range="15m"), n(range="6h"), n(range="all")] == [1, 0, 2, 2]
    assert n(q="at:<now-1h") == 1
    first = (world.clock.us - 3 * hour) // 1000
    assert n(range=f"{first}..{world.clock.us // 1000 - 3_600_000}") == 1


def test_p1_every_facet_opens_a_list_that_counts_the_same(world):
    world.add_tasks(*mixed(random.Random(9), 80, world.clock.us))
    client = world.client("viewer")
    q = "state:failed OR state:succeeded"

    facets = checked(client.get(f"{P}/facets", params={"q": q}), documents.Facets)
    numbers = [each["count"] for values in facets.values() for each in values]

    assert len(numbers) > 8
    for number in numbers:
        total = client.get(LIST, params={"q": number["q"]}).json()["total"]
        assert total == number


def test_the_histogram_counts_what_the_list_counts(world):
    world.add_tasks(*mixed(random.Random(3), 60, world.clock.us))
    client = world.client("viewer")

    found = checked(client.get(f"{P}/histogram", params={"range": "1h"}), documents.Histogram)

    assert found["step_ms"] == 60_000
    assert sum(sum(each["counts"].values()) for each in found["buckets"]) == 60
    assert all(each["at"] % 60_000 == 0 for each in found["buckets"])


def test_integers_of_any_size_travel_exactly(world):
    big = "12345678901234567890123"
    (ref,) = world.add_tasks({"args": f"[{big}, 1.10]", "kwargs": "{}"})
    client = world.client("admin")

    row = client.get(LIST).json()["items"][0]
    detail = client.get(f"{LIST}/{ref}").json()

    assert row["headline"] == f"{big} 1.10"
    assert detail["args"]["text"] == f"[{big}, 1.10]"
    assert client.get(LIST, params={"q": f"arg.0:={big}"}).json()["total"]["value"] == 1
    assert client.get(LIST, params={"q": f"arg.0:={big[:-1]}4"}).json()["total"]["value"] == 0


@pytest.fixture
def failed(world):
    """A task that failed at its second attempt, with a parent, a child and an agent that can."""
    parent, ref, child = world.add_tasks(
        {"task_id": "root-1", "name": "shop.order", "root": "root-1"},
        {
            "task_id": "mid-1", "state": 8, "attempt": 2, "parent": "root-1", "root": "root-1",
            "exc_type": "shop.pay.CardDeclined", "exc_message": "tok_1",
            "args": '["tok_1"]', "kwargs": '{"amount": 30}', "replayable_until": 2**60,
        },
        {"task_id": "leaf-1", "parent": "mid-1", "root": "root-1", "name": "shop.mail"},
    )  # fmt: skip
    place = {"project_id": world.shop}
    us = world.clock.us
    with world.brain.db.writing() as conn:
        conn.execute(insert(attempts), [
            place | {"ref": ref, "run": 0, "attempt": n, "state": state, "started": us - 10,
                     "finished": us, "runtime_us": 10, "exc_type": "shop.pay.CardDeclined",
                     "exc_message": "tok_1", "traceback": TRACE}
            for n, state in ((1, 5), (2, 8))
        ])  # fmt: skip
        conn.execute(insert(task_defs).values(
            **place, engine="celery", app="redis/0", name="shop.charge",
            params=[["token", 1, False, None, None]], first_seen=us, seen=us,
        ))  # fmt: skip
        conn.execute(insert(agents).values(
            **place, stream="a" * 32, session="b" * 32, cred_id="c" * 32, kid=1, epoch=1,
            host="h", pid=1, role="agent", policy="control", connected=True, connected_at=us,
            last_beat=us,
            apps=[{"engine": "celery", "app": "redis/0", "engine_version": "5.6",
                   "adapter_version": "2", "verbs": {"retry": 1, "cancel": 1, "terminate": 2},
                   "sources": [], "unavailable": {}}],
        ))  # fmt: skip
    world.parent, world.ref, world.child = parent, ref, child
    return world


def test_a_failed_task_shows_attempts_frames_causes_and_links(failed):
    found = checked(failed.client("operator").get(f"{LIST}/{failed.ref}"), documents.Detail)

    assert [each["state"] for each in found["attempts"]] == ["retrying", "failed"]
    frames = found["error"]["frames"]
    assert [(each["function"], each["line"], each["in_app"]) for each in frames] == [
        ("trace_task", 451, False), ("charge", 14, True),
    ]  # fmt: skip
    cause = found["error"]["chain"][0]
    assert (cause["type"], cause["message"]["text"]) == ("ConnectionError", "refused")
    assert found["error"]["chain"][0]["frames"][0]["code"] == "gateway.send(card)"
    assert found["parent"]["ref"] == failed.parent
    assert [each["ref"] for each in found["children"]] == [failed.child]
    assert found["params"] == [{"name": "token", "kind": 1}]
    assert found["definition"]["known"] is True


def test_each_action_says_whether_it_can_and_if_not_why(failed):
    actions = failed.client("operator").get(f"{LIST}/{failed.ref}").json()["actions"]

    assert actions["retry"] == {"ok": True, "code": None, "why": None, "fix": None}
    assert actions["cancel"]["code"] == "task.state_changed"
    assert "failed" in actions["cancel"]["why"]
    assert actions["edit_retry"]["ok"] is False
    assert all(each["why"] for each in actions.values() if not each["ok"])


def test_the_workflow_holds_its_tasks_and_their_edges(failed):
    found = checked(failed.client("viewer").get(f"{LIST}/{failed.ref}/flow"), documents.Flow)

    assert {each["ref"] for each in found["nodes"]} == {failed.parent, failed.ref, failed.child}
    edges = {tuple(edge) for edge in found["edges"]}
    assert edges == {(failed.parent, failed.ref), (failed.ref, failed.child)}


@pytest.fixture
def crossing(world):
    """An order taken by one engine, invoiced by a second and told by a third; none has a root."""
    return world.add_tasks(
        {"task_id": "order-1", "name": "shop.order"},
        {"task_id": "invoice-1", "name": "shop.invoice", "engine": "rq", "parent": "order-1"},
        {"task_id": "hook-1", "name": "shop.hook", "engine": "arq", "parent": "invoice-1"},
        {"task_id": "hook-2", "name": "shop.hook", "engine": "arq", "parent": "invoice-1"},
        {"task_id": "order-2", "name": "shop.order"},
    )


@pytest.mark.parametrize("start", range(4))
def test_a_workflow_over_three_engines_is_whole_from_wherever_it_is_looked_at(
    world, crossing, start
):
    order, invoice, hook, other_hook, _ = crossing

    found = checked(world.client("viewer").get(f"{LIST}/{crossing[start]}/flow"), documents.Flow)

    assert {each["ref"] for each in found["nodes"]} == {order, invoice, hook, other_hook}
    edges = {tuple(edge) for edge in found["edges"]}
    assert edges == {(order, invoice), (invoice, hook), (invoice, other_hook)}
    assert {each["engine"] for each in found["nodes"]} == {"celery", "rq", "arq"}


@pytest.fixture
def awaited(world):
    """Two parts of a chord that no task has sent, its body sent by the second, and a stranger."""
    chord = {"group_id": "chord-1", "name": "shop.part"}
    return world.add_tasks(
        chord | {"task_id": "part-1", "root": "part-1"},
        chord | {"task_id": "part-2", "root": "part-2"},
        chord | {"task_id": "body", "root": "part-2", "parent": "part-2"},
        {"task_id": "other", "group_id": "chord-2"},
    )


@pytest.mark.parametrize("start", range(3))
def test_the_body_of_a_chord_comes_of_all_its_parts_wherever_it_is_looked_at(world, awaited, start):
    one, two, body, _ = awaited

    found = checked(world.client("viewer").get(f"{LIST}/{awaited[start]}/flow"), documents.Flow)

    assert {each["ref"] for each in found["nodes"]} == {one, two, body}
    assert {tuple(edge) for edge in found["edges"]} == {(one, body), (two, body)}


def test_a_task_links_to_its_parent_and_children_on_other_engines(world, crossing):
    order, invoice, hook, other_hook, _ = crossing

    found = checked(world.client("viewer").get(f"{LIST}/{invoice}"), documents.Detail)

    assert found["parent"]["ref"] == order
    assert {each["ref"] for each in found["children"]} == {hook, other_hook}


def test_of_two_tasks_with_one_id_the_one_of_the_same_engine_is_the_parent(world):
    _, mine, child = world.add_tasks(
        {"task_id": "1", "engine": "rq"}, {"task_id": "1"}, {"task_id": "2", "parent": "1"}
    )

    found = checked(world.client("viewer").get(f"{LIST}/{child}"), documents.Detail)

    assert found["parent"]["ref"] == mine


def test_parents_in_a_circle_end(world):
    one, two = world.add_tasks(
        {"task_id": "a", "parent": "b"}, {"task_id": "b", "engine": "rq", "parent": "a"}
    )

    found = checked(world.client("viewer").get(f"{LIST}/{one}/flow"), documents.Flow)

    assert {each["ref"] for each in found["nodes"]} == {one, two}


def test_a_workflow_of_very_many_tasks_is_cut_and_says_so(world):
    parent, *_ = world.add_tasks(
        {"task_id": "many"}, *({"task_id": f"m{n}", "parent": "many"} for n in range(600))
    )

    found = checked(world.client("viewer").get(f"{LIST}/{parent}/flow"), documents.Flow)

    assert len(found["nodes"]) == 500
    assert found["truncated"] is True


def test_an_argument_is_found_by_its_parameter_wherever_it_was_given(failed):
    failed.add_tasks({"args": "[]", "kwargs": '{"token": "tok_1"}'}, {"args": '["tok_2"]'})

    found = failed.client("operator").get(LIST, params={"q": "arg.token:tok_1"}).json()

    assert found["total"]["value"] == 2


def test_completion_offers_keys_states_and_values_that_occur(failed):
    client = failed.client("viewer")

    def texts(q):
        found = checked(client.get(f"{P}/query/complete", params={"q": q}), documents.Complete)
        return [q[: found["from"]] + each["text"] for each in found["items"]]

    assert "state:" in texts("st")
    assert "-queue:" in texts("-que")
    assert texts("state:fai") == ["state:failed"]
    assert texts("state:failed,suc") == ["state:failed,succeeded"]
    assert texts("abc task:shop.ch") == ["abc task:shop.charge"]
    assert texts("nope:x") == []
    checked(client.get(f"{P}/query/schema"), documents.Schema)


SLOW = ("SCAN tasks'", "SCAN tasks USING", "Seq Scan on tasks")
QUERIES = ["", "state:failed", "queue:pay", "task:shop.*", "worker:w1", "root:root-1",
           "parent:mid-1", "issue:fp1", '"gateway timeout"', "id:task-0001"]  # fmt: skip


@pytest.mark.parametrize("q", QUERIES)
def test_no_list_scans_the_table_of_tasks(world, q):
    rows = mixed(random.Random(1), 3000, world.clock.us)
    for index, row in enumerate(rows):
        row["at"] -= index * 60_000_000
    world.add_tasks(*rows)
    db = world.brain.db
    asked = Ask(world.shop, q, "1h", world.clock.us, args_visible=True)

    with db.writing() as conn:
        conn.exec_driver_sql("ANALYZE tasks" if db.is_sqlite else "ANALYZE")
        plan = explained(conn, asked)

    assert "tasks" in plan
    assert not [word for word in SLOW if word in plan], plan


def explained(conn, asked):
    """How the database would find the first page."""
    plans = []

    class Explaining:
        """A connection that asks for the plan of what it is given."""

        def execute(self, statement):
            compiled = statement.compile(conn, compile_kwargs={"literal_binds": True})
            word = "EXPLAIN QUERY PLAN" if conn.dialect.name == "sqlite" else "EXPLAIN"
            cursor = conn.connection.cursor()
            cursor.execute(f"{word} {compiled}".replace("%%", "%"))
            plans.extend(str(row) for row in cursor.fetchall())
            return conn.execute(statement)

    page(
        Explaining(), clause(conn, asked), "at", descending=True, after=None, limit=100
    )  # fmt: skip
    return "\n".join(plans)
