"""Who is refused the lease of a group, as long as that lasts."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from z4j_brain.agents.model import agents
from z4j_core.wire.items import Note

from .conftest import PLACE, POLL
from .test_fires import Ledger

WORDS = "the lease of this group is of another broker"
WARNING, OVER = 30, 20
HERE = tuple(PLACE.values())


@pytest.fixture
def told(desk, world):
    """A connected agent that can tell of trouble."""
    ledger = Ledger(world)
    desk.connect(stream=ledger.stream, host="staging-1", groups=[[*HERE, True, 1, 1]])
    desk.add(**POLL)

    def tell(level=WARNING, code="Z4J-E301", source=HERE, text=WORDS):
        ledger.tell(Note(6, world.clock.us, level, code, (0, len(text), text), *source))

    return tell


def refused(desk):
    (group,) = desk.get("schedules/groups")["items"]
    return group["refused"]


def test_a_group_says_who_is_refused_and_why(desk, told):
    told()

    (found,) = refused(desk)

    assert (found["host"], found["pid"], found["code"]) == ("staging-1", 1, "Z4J-E301")
    assert (found["why"], found["since"]) == (WORDS, desk.world.clock.us // 1000)


def test_nobody_is_refused_of_whom_nothing_is_told(desk, told):
    told(code="Z4J-E303", text="clocks disagree")
    told(source=("celery", "redis/1"))
    told(source=())

    assert refused(desk) == []


def test_it_is_over_when_the_agent_says_so_and_may_begin_again(desk, told):
    told()
    told(OVER)
    meanwhile = refused(desk)

    told()

    assert (meanwhile, len(refused(desk))) == ([], 1)


def test_whoever_has_gone_is_refused_no_more(desk, told):
    told()

    with desk.world.brain.db.writing() as conn:
        conn.execute(update(agents).values(connected=False))

    assert refused(desk) == []
