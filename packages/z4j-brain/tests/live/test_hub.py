"""Live streams as promises: one judgement for all tabs, nothing lost on a short cut."""

from __future__ import annotations

import asyncio
import json

import pytest
from z4j_brain.live.hub import MAX_ROWS, Hub
from z4j_brain.live.watch import BACKLOG_BYTES, Look, Stream, encode

PROJECT = "p"


class Change:
    def __init__(self, refs=(), bulks=()):
        self.project_id = PROJECT
        self.changed = [(ref, 1) for ref in refs]
        self.bulks = bulks
        self.schedules = ()


class Books:
    """Sources over a dict of rows; counts how often it is asked."""

    def __init__(self):
        self.table = {}
        self.read = self.judged = 0

    def rows(self, conn, project_id, refs):
        self.read += 1
        return [self.table[ref] for ref in refs if ref in self.table]

    def shown(self, row, *, args_visible):
        return dict(row)

    def parsed(self, look):
        return look.q

    def fits(self, look, node, rows):
        self.judged += 1
        return [not node or row["state"] == node for row in rows]

    def counts(self, conn, look, node):
        return {"total": {"value": len(self.table), "approx": False, "q": look.q}}

    def page(self, conn, look):
        return None

    def bulk(self, conn, project_id, bulk_id):
        return {"id": bulk_id}

    def schedules(self, conn, look, ids):
        return {"up": [], "gone": ids}

    def lag(self, conn, project_id):
        return {"age_ms": 0, "agents": []}


class World:
    def __init__(self, db):
        self.books = Books()
        self.now = 100.0
        self.hub = Hub(db, self.books, lambda: self.now, "boot")
        self.position = 0

    def commit(self, *refs, **row):
        self.position += 1
        for ref in refs:
            old = self.books.table.get(ref, {"v": 0})
            self.books.table[ref] = {"ref": ref, **row, "v": old["v"] + 1}
        self.hub.committed(self.position, [Change(refs)])

    async def tick(self):
        self.now += 0.25
        for project_id, room in list(self.hub._rooms.items()):
            await self.hub.tick(project_id, room)


def events(raw: bytes, *names):
    found = []
    for block in raw.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if fields.get("event") in names:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


@pytest.fixture
def world(db):
    return World(db)


def run(story):
    asyncio.run(story)


def test_eight_equal_tabs_cost_one_read_and_one_judgement(world):
    async def story():
        look = Look(PROJECT, "tasks", "failed")
        tabs = [world.hub.open(look, f"s{n}") for n in range(8)]

        world.commit("r1", state="failed")
        await world.tick()

        assert (world.books.read, world.books.judged) == (1, 1)
        told = [events(await tab.take(0), "rows") for tab in tabs]
        assert told == [told[0]] * 8
        assert told[0][0][1]["new"][0]["ref"] == "r1"

    run(story())


def test_a_row_is_new_once_then_patched_and_gone_when_it_stops_matching(world):
    async def story():
        tab = world.hub.open(Look(PROJECT, "tasks", "failed"), "s")
        seen = []
        for state in ("failed", "failed", "ok"):
            world.commit("r1", state=state)
            await world.tick()
            seen += [event for _name, event in events(await tab.take(0), "rows")]

        assert [row["ref"] for row in seen[0]["new"]] == ["r1"]
        assert [up[:2] for up in seen[1]["up"]] == [["r1", 2]]
        assert seen[2]["gone"] == ["r1"]

    run(story())


def test_changes_between_two_ticks_arrive_as_one_event(world):
    async def story():
        tab = world.hub.open(Look(PROJECT, "tasks"), "s")

        for n in range(50):
            world.commit(f"r{n}", state="ok")
        await world.tick()

        found = events(await tab.take(0), "rows")
        assert len(found) == 1
        assert len(found[0][1]["new"]) == 50

    run(story())


def test_of_a_flood_the_newest_rows_are_shown_and_all_are_counted(world):
    async def story():
        tab = world.hub.open(Look(PROJECT, "tasks"), "s")

        world.commit(*(f"r{n}" for n in range(MAX_ROWS + 100)), state="ok")
        await world.tick()

        raw = await tab.take(0)
        shown = [row["ref"] for row in events(raw, "rows")[0][1]["new"]]
        assert shown == [f"r{n}" for n in range(100, MAX_ROWS + 100)]
        assert events(raw, "num")[0][1]["total"]["value"] == MAX_ROWS + 100

    run(story())


def test_a_tab_that_does_not_read_is_told_to_start_afresh_and_holds_little_memory():
    stream = Stream("s")

    for n in range(200):
        stream.put(encode("rows", {"n": n, "text": "x" * 4096}))
        assert stream._size <= BACKLOG_BYTES

    raw = asyncio.run(stream.take(0))
    assert ("reset", {"reason": "backlog"}) in events(raw, "reset")


def test_a_short_cut_is_healed_by_the_last_event_id(world):
    async def story():
        look = Look(PROJECT, "tasks")
        tab = world.hub.open(look, "s")
        stays = world.hub.open(look._replace(q="failed"), "t")
        world.commit("r1", state="ok")
        await world.tick()
        last = world.hub.watermark
        world.hub.leave(look, tab)
        world.commit("r2", state="ok")
        await world.tick()

        back = world.hub.open(look, "s", last_id=last)
        await world.tick()

        refs = {row["ref"] for _name, e in events(await back.take(0), "rows") for row in e["new"]}
        assert refs == {"r1", "r2"}
        assert stays.closed is False

    run(story())


@pytest.mark.parametrize("last", ["other-1", "boot-7", "boot-", "x"])
def test_an_id_nobody_remembers_starts_afresh(world, last):
    async def story():
        world.commit("r1", state="ok")
        tab = world.hub.open(Look(PROJECT, "tasks"), "s", last_id=last)

        assert events(await tab.take(0), "reset")

    run(story())


def test_a_revoked_session_loses_its_streams_and_no_others(world):
    async def story():
        look = Look(PROJECT, "tasks")
        mine, other = world.hub.open(look, "mine"), world.hub.open(look, "other")

        world.hub.revoked("mine")

        assert (mine.closed, other.closed) == (True, False)

    run(story())


def test_a_bulk_is_shown_to_every_view_of_its_project(world):
    async def story():
        tab = world.hub.open(Look(PROJECT, "now"), "s")

        world.hub.bulk_changed(PROJECT, "b1")
        await world.tick()

        assert ("bulk", {"id": "b1"}) in events(await tab.take(0), "bulk")

    run(story())


def test_nobody_looking_costs_nothing(world):
    async def story():
        look = Look(PROJECT, "tasks")
        world.hub.leave(look, world.hub.open(look, "s"))

        world.commit("r1", state="ok")
        await world.tick()

        assert world.books.read == 0
        assert world.hub._rooms == {}

    run(story())
