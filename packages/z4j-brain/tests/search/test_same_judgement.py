"""The row judge and the SQL agree, on both databases."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import insert, select
from z4j_brain.search import QueryError, Scope, compile_query, matches, parse
from z4j_brain.search.keys import HAS, IS, STATES
from z4j_brain.tasks.model import tasks

NOW = 1_780_000_000_000_000
HOUR = 3_600_000_000
WORDS = ["mail", "shop.charge", "shop_evil.x", "Shop.Charge", "a*b", "50%", "x[1]", "é", "celery@a"]
DOCUMENTS = [
    None,
    "[]",
    "{}",
    '["tok_1", 5, true]',
    '[911, "30", null, {"deep": [1, "Zwei"]}]',
    '{"order_id": 911, "amount": 30.5, "user": {"name": "Ann", "tags": ["a", "b"]}}',
    '{"order_id": "911", "ok": false, "none": null}',
    '{"order_id": 9007199254740993, "0": "zero"}',
    '{"order_id": 12345678901234567890123.000000000000000001}',
    '{"order_id": 91',
    '["a b", "100%", "GateWay Timeout"]',
]
PATHS = [
    "order_id",
    "amount",
    "0",
    "1",
    "3.deep.1",
    "user.name",
    "user.tags.0",
    "ok",
    "none",
    "nope",
]
ARG_VALUES = [
    "911",
    ">100",
    "<=30.5",
    "=911",
    '="911"',
    "=true",
    "=null",
    "9*",
    "*n*",
    "1..1000",
    "9007199254740993",
    ">9007199254740992",
    "tok_1",
    '"30"',
    "null",
    "false",
    "..30.5",
]
EAGER_TO_GATHER = (
    "parallel_setup_cost = 0",
    "parallel_tuple_cost = 0",
    "min_parallel_table_scan_size = 0",
    "enable_indexscan = off",
    "enable_bitmapscan = off",
)
POSITIONS = {("celery", "shop.charge"): ("order_id", "amount")}


def _row(chance, index):
    name = chance.choice([*WORDS, None])
    args, kwargs = chance.choice(DOCUMENTS), chance.choice(DOCUMENTS)
    exc = chance.choice([None, "CardDeclined", "TimeoutError"])
    message = chance.choice([None, "gateway Timeout 50%", "tok_1 x[1]é"])
    moment = lambda: chance.choice([None, NOW - chance.randrange(0, 50 * HOUR)])  # noqa: E731
    text = f"{name or ''}\n{exc or ''}: {message or ''}\n{args or ''} {kwargs or ''}".lower()
    return {
        "ref": f"{index:024x}", "project_id": "p" * 32, "engine": chance.choice(["celery", "rq"]),
        "app": "a", "task_id": f"{chance.randrange(16**8):08x}-{index}", "name": name,
        "queue": chance.choice([*WORDS, None]), "worker": chance.choice([*WORDS, None]),
        "state": chance.randrange(10), "attempt": chance.randrange(4),
        "priority": chance.choice([None, 0, 9]), "at": NOW - chance.randrange(0, 50 * HOUR),
        "enqueued": moment(), "eta": moment(), "started": moment(), "finished": moment(),
        "runtime_us": chance.choice([None, 0, 184_000, 2_000_000, 2_000_001, 5_500_000]),
        "wait_us": chance.choice([None, 999, 1_000, 60_000_000]),
        "args_flags": chance.randrange(16), "args": args, "kwargs": kwargs,
        "kwargs_flags": 0, "result_flags": chance.choice([0, 2]),
        "result": chance.choice([None, '"Done 50%"']), "exc_type": exc, "exc_message": message,
        "fingerprint": chance.choice([None, "fp1:4242"]), "root": chance.choice([None, "0198c2f4"]),
        "parent": chance.choice([None, f"parent-{chance.randrange(9)}"]),
        "retry_of": chance.choice([None, "x"]), "fire_id": chance.choice([None, "feed0000"]),
        "schedule": chance.choice([None, "nightly"]), "trace": chance.choice([None, "abcd1234"]),
        "replayable_until": chance.choice([None, NOW - 1, NOW + 1]),
        "flags": chance.choice([0, 4, 2, 6]), "host": chance.choice([None, "h1", "h2"]),
        "release": chance.choice([None, "1.4.2", "1.4.10"]), "environment": chance.choice([None,
        "prod"]),
        "tags": chance.choice([None, {}, {"customer": "4", "tier": "gold*"}, {"x": "1"}]),
        "search": text,
    }  # fmt: skip


def _term(chance):
    duration = chance.choice(["184ms", ">2s", "<=1s", "1s..6s", "2s", "..1ms", ">=2s,1ms"])
    when = chance.choice(
        ["2026-05-28", ">2026-05-28T10:00", "now-3h..now", "<now-20h", ">=now-30h"]
    )
    glob = chance.choice(
        ["*", "shop*", "shop.*", "*a*", "mail,a*", "s*p.c*e", '"a*b"', "x[*", "50%"]
    )
    return chance.choice([
        f"state:{chance.choice(STATES)},{chance.choice(STATES)}", "engine:celery", "env:prod",
        f"priority:{chance.choice(['0', '>=1', '..9'])}", f"is:{chance.choice(IS)}",
        f"has:{chance.choice([name for name in HAS if name != 'children'])}",
        f"{chance.choice(['task', 'queue', 'worker'])}:{glob}", "host:h1", "release:1.4.*",
        f"tag:{chance.choice(['customer', 'customer=4', 'tier=*', 'x*', '*=4'])}",
        "schedule:night*",
        "id:00000000", "root:0198", "parent:parent-3", "issue:fp1", "fire:feed", "trace:abcd",
        f"attempt:{chance.choice(['1', '>1', '2..3', '<=0,3'])}",
        f"{chance.choice(['wait', 'took', 'age'])}:{duration}",
        f"age:{chance.choice(['<10h', '>1d'])}",
        f"{chance.choice(['at', 'started', 'finished', 'eta'])}:{when}",
        f"arg.{chance.choice(PATHS)}:{chance.choice(ARG_VALUES)}",
        f"args:{chance.choice(['tok', 'TOK_1', '100%'])}",
        f"error:{chance.choice(['TIMEOUT', 'x[1]'])}",
        "exc:card", 'result:"done 50%"', '"Gateway timeout"', "50%", "x[1]", "charge", "tok_1",
        "x[1]É",
    ])  # fmt: skip


def _query(chance, depth=2):
    if depth == 0 or chance.random() < 0.4:
        return chance.choice(["", "", "NOT ", "-"]) + _term(chance)
    joined = chance.choice([" ", " AND ", " OR "]).join(
        _query(chance, depth - 1) for _ in range(chance.randrange(2, 4))
    )
    return f"{chance.choice(['', 'NOT ', '-'])}({joined})"


@pytest.mark.live
@pytest.mark.timeout(120)
def test_a_row_matches_exactly_when_the_database_selects_it(db):
    chance = random.Random(20261121)
    rows = [_row(chance, index) for index in range(150)]
    with db.writing() as conn:
        conn.execute(insert(tasks), rows)
    scope = Scope(tasks, db.is_sqlite, NOW, positions=POSITIONS)
    selected_some = 0

    for _ in range(400):
        text = _query(chance)
        node = parse(text)
        with db.reading() as conn:
            found = conn.execute(select(tasks).where(compile_query(node, scope))).mappings().all()
            got = {row["ref"] for row in found}
        want = {row["ref"] for row in rows if matches(row, node, scope)}
        assert got == want, text
        selected_some += bool(0 < len(got) < len(rows))

    assert selected_some > 200


def test_a_search_for_an_argument_works_when_the_database_plans_in_parallel(db):
    chance = random.Random(3)
    rows = [_row(chance, index) for index in range(300)]
    with db.writing() as conn:
        conn.execute(insert(tasks), rows)
    node = parse("arg.order_id:911")
    scope = Scope(tasks, db.is_sqlite, NOW, positions=POSITIONS)

    with db.reading() as conn:
        for setting in () if db.is_sqlite else EAGER_TO_GATHER:
            conn.exec_driver_sql(f"SET LOCAL {setting}")
        found = conn.execute(select(tasks.c.ref).where(compile_query(node, scope))).scalars().all()

    assert set(found) == {row["ref"] for row in rows if matches(row, node, scope)} != set()


def test_every_kind_of_term_selects_something_and_not_everything(db):
    chance = random.Random(7)
    rows = [_row(chance, index) for index in range(300)]
    scope = Scope(tasks, db.is_sqlite, NOW, positions=POSITIONS)

    never = [
        text
        for text in ("arg.order_id:911", "arg.order_id:>9007199254740992", "tag:customer=4", "x[1]")
        if not 0 < sum(matches(row, parse(text), scope) for row in rows) < len(rows)
    ]

    assert never == []


@pytest.mark.parametrize(
    "text", ["arg.x:1", "args:abc", "result:abc", "NOT error:abc", "(abc error:abc)"]
)
def test_without_the_right_to_arguments_they_cannot_be_asked_about(text):
    scope = Scope(tasks, True, NOW, args_visible=False)

    with pytest.raises(QueryError) as caught:
        compile_query(parse(text), scope)

    assert caught.value.code == "query.args_hidden"
    assert text[caught.value.column :].startswith(("arg", "result", "error"))
