"""A whole life of a world: anything dies, then it heals and drains, then the books are closed.

The rule: nothing is given up to make it drain but what SIGKILL takes.
"""

from __future__ import annotations

import contextlib

from sim_promises import DRAINS, Broken
from sim_world import World, fact

TURNS = 400


def live(seed, patch, steps=120):
    """Live through one world and return it, closed.

    Raises:
        Broken: a promise was; the error says which.
    """
    world = World(seed, patch)
    try:
        world.run(steps)
        heal(world)
        world.books.account()
    finally:
        with contextlib.suppress(OSError):
            world.close()
    return world


def heal(world):
    """Let the one agent that is left go on undisturbed until nothing is left to say."""
    world.disk.heal()
    for one in world.orphans:
        world.die(one)
    world.orphans.clear()
    for agent in world.alive():
        world.cut_line(agent)
    for agent in world.alive()[1:]:
        agent.kill()
        for one in agent.writers:
            world.die(one)
    last = world.any_alive()
    for one in last.writers[1:]:
        world.die(one)
    del last.writers[1:]
    drain(world, last)
    for control in (False, True):
        last_word(world, last.spool.writer, control=control)
    drain(world, last)


def drain(world, last):
    """Go on until everything this agent can see is stored."""
    for _ in range(TURNS):
        last.settle_all()
        last.spool.evict()
        last.adopt()
        if is_drained(last):
            return
        if last.line is None:
            last.connect(world.brain)
        world.tick()
        while is_busy(world):
            carry_all(world)
            world.answer()
        while last.line and last.line.down:
            last.receive()
    raise Broken(DRAINS, f"not in {TURNS} turns")


def last_word(world, one, *, control):
    """A whole frame, behind which a torn one is no longer late."""
    world.clock.advance(1.0)
    at = world.books.produce(control=control)
    assert (one.append_control if control else one.append)(fact(at, 3)), "the disk has room"


def is_drained(last):
    """Whether nothing is left to send, and no stream but its own to look after."""
    return last.sender is not None and last.sender.is_drained and len(last.spool._streams) == 1


def is_busy(world):
    """Whether something is under way to this brain, in it, or owed by it."""
    return any(
        line.brain is world.brain
        and ((line.up and not line.server.closed.is_set()) or line.server.owes)
        for line in world.lines()
    ) or bool(world.brain.waiting)


def carry_all(world):
    """Everything under way arrives and is committed."""
    for line in world.lines():
        while line.up and line.brain is world.brain and not line.server.closed.is_set():
            world.brain.receive(line.server, line.up.popleft())
    while world.brain.waiting:
        world.commit()
