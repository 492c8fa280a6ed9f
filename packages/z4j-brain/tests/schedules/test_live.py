"""Pages of schedules are patched by edits and by fires, without asking again."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest
from z4j_brain.live.watch import Look

from .conftest import POLL
from .test_fires import QUEUED, Ledger, first_slot


class Tab:
    """A page that looks at something."""

    def __init__(self, world, view, q="", *, args_visible=True):
        self.world, self.hub = world, world.brain.streams
        self.look = Look(world.shop, view, q, "", "", args_visible)
        self.stream = self.hub.open(self.look, "session")
        self.heard(said=())

    def heard(self, said=("schedules", "rows")):
        """What the next turn of the hub tells."""
        self.world.clock.advance(3)

        async def turn():
            for project, room in list(self.hub._rooms.items()):
                await self.hub.tick(project, room)
            return await self.stream.take(0.01)

        found = []
        for event in asyncio.run(turn()).decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
            if lines.get("event") in said:
                found.append((lines["event"], json.loads(lines["data"])))
        return found


@pytest.fixture
def committed(world):
    """Tells the hub what a commit of the gateway changed."""
    numbers = iter(range(1, 1_000))
    return lambda change: world.brain.streams.committed(next(numbers), [change])


def test_an_edit_reaches_every_page_of_schedules(desk):
    made = desk.add(**POLL)
    tab, other = Tab(desk.world, "schedules"), Tab(desk.world, "queues")
    desk.edit(made, queue="fast")

    ((name, data),) = tab.heard()
    assert (name, [each["queue"] for each in data["up"]]) == ("schedules", ["fast"])
    assert data["up"][0] == desk.again(made)
    assert tab.heard() == []
    assert other.heard() == []


def test_a_deleted_schedule_leaves_the_page(desk):
    made = desk.add(**POLL)
    tab = Tab(desk.world, "schedules", "name:poll")
    desk.ask("DELETE", f"schedules/{made['id']}", "admin", made["revision"])

    assert tab.heard() == [("schedules", {"up": [], "gone": [made["id"]]})]


def test_a_fire_patches_its_schedule_and_no_other(desk, committed):
    made = desk.add(**POLL)
    desk.add(name="other")
    tab, ledger = Tab(desk.world, "schedules"), Ledger(desk.world)
    committed(ledger.tell(ledger.fire(made, first_slot(made))))

    ((_, data),) = tab.heard()
    assert [(each["name"], len(each["strip"])) for each in data["up"]] == [("poll", 1)]


def test_a_viewers_page_has_no_arguments(desk):
    made = desk.add(**POLL, args=[1])
    tab = Tab(desk.world, "schedules", args_visible=False)
    desk.edit(made, queue="fast")

    ((_, data),) = tab.heard()
    assert (data["up"][0]["args"], data["up"][0]["args_hidden"]) == ([], True)


def test_a_task_joins_the_list_of_the_schedule_that_fired_it(desk, committed):
    made = desk.add(**POLL)
    tab, ledger = Tab(desk.world, "tasks", "schedule:poll"), Ledger(desk.world)
    fire = ledger.fire(made, first_slot(made))
    desk.world.clock.advance(3)
    ident = str(UUID(bytes=fire.fire_id))
    committed(ledger.tell(fire, ledger.task(ident, QUEUED), ledger.task("other", QUEUED)))

    ((name, data),) = tab.heard()
    assert (name, [each["id"] for each in data["new"]]) == ("rows", [ident])


def test_a_query_of_schedules_is_read_with_the_keys_of_schedules(desk):
    answer = desk.ask("GET", "live", params={"view": "schedules", "q": "nmae:x"})

    assert (answer.status_code, answer.json()["hint"]) == (422, "name")
