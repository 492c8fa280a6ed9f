"""Faults in hooks and sender never reach the host. The rule: the app's task is worth more."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter

import pytest
from agent_script import script
from z4j_core import EventKind, Native, TaskEvent
from z4j_core.agent import boundary
from z4j_core.agent.agent import Agent
from z4j_core.agent.link import Closed
from z4j_core.agent.session import Session
from z4j_core.clock import SystemClock
from z4j_core.config import read_dsn
from z4j_core.errors import Away, WireError
from z4j_core.spool import files, writer
from z4j_core.spool import hand as hands
from z4j_testing.faults import ERRNOS, RAISED, FaultyOs, Hostile
from z4j_testing.proxy import Fault, Proxy
from z4j_testing.signals import eventually

CLOCK = SystemClock()
STARTED, FAILED = EventKind.STARTED, EventKind.FAILED


class Injector:
    """Lets the next system call of one name fail; counts what failed."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.armed = ""
        self.fired = Counter()

    def call(self, name, real, *args, **more):
        if self.armed != name or threading.current_thread() is not threading.main_thread():
            return real(*args, **more)
        self.armed = ""
        self.fired[name] += 1
        if name == "write" and self.chance.random() < 0.2:
            return real(args[0], args[1][: len(args[1]) // 2])
        if self.chance.random() < 0.1:
            raise MemoryError
        raise OSError(self.chance.choice(ERRNOS), "injected")


@pytest.fixture
def injector(monkeypatch):
    made = Injector(seed=7)
    monkeypatch.setattr(files, "os", FaultyOs(made.call))
    monkeypatch.setattr(writer, "write", lambda fd, data: made.call("write", os.write, fd, data))
    return made


class BrokenPage:
    """A page whose every store fails."""

    def __setitem__(self, *_):
        raise ValueError("mmap closed or invalid")


def page_acts(handle, engine):
    """Ways to hurt a hook by its page: no room, a store that fails, a slot torn by another."""

    def holding(hand, emit):
        process = handle.process
        own, process.hand = process.hand, hand
        emit()
        process.hand = own
        return 1

    def full(n):
        hand = hands.Hand(bytearray(0))
        hand._free.clear()
        return holding(hand, lambda: engine.emit(TaskEvent(STARTED, f"f{n}")))

    def unstored(n):
        hand = hands.Hand(BrokenPage())
        return holding(hand, lambda: engine.emit(TaskEvent(FAILED, f"p{n}")))

    def torn(n):
        own = handle.process.hand
        at = (n % hands.SLOTS) * hands.SLOT_BYTES
        own._page[at + 6 : at + 14] = b"\xff" * 8
        engine.emit(TaskEvent(STARTED, f"q{n}"))
        return 1

    return [full, unstored, torn]


def acts(injector, engine, broken):
    """Ways to hurt a hook; each returns its faults, but for calls that fail: those are counted."""

    def syscall(name):
        def act(n):
            injector.armed = name
            engine.emit(TaskEvent(STARTED, f"s{n}", 1, "shop.charge"))
            return 0

        return act

    def emitting(make, emitter=engine):
        def act(n):
            emitter.emit(make(n))
            return 1

        return act

    def hook(n):
        def fails():
            raise RAISED[n % len(RAISED)]

        engine.emit.hook(fails)()
        return 1

    return [
        syscall("write"), hook, syscall("fstat"), hook,
        emitting(lambda n: TaskEvent(STARTED, f"h{n}", args=(Hostile(),), kwargs={"a": Hostile()})),
        syscall("open"),
        emitting(lambda n: TaskEvent(FAILED, f"n{n}", native=lambda: 1 / 0)),
        emitting(lambda n: TaskEvent(FAILED, f"m{n}", native=lambda: Native(None, "no bytes"))),
        syscall("link"),
        emitting(lambda n: TaskEvent(FAILED, f"e{n}", error=KeyError(Hostile()))),
        emitting(lambda _n: TaskEvent("no kind", None, "x", Hostile(), 7)),
        emitting(lambda n: TaskEvent(STARTED, f"b{n}"), broken),
    ]  # fmt: skip


@pytest.mark.parametrize("transport", ["websocket"])
@pytest.mark.parametrize(
    "wanted",
    [100_000, pytest.param(1_000_000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])],
)
def test_a6_no_injected_fault_reaches_the_app(brain, start, injector, monkeypatch, wanted, capsys):
    monkeypatch.setattr(writer, "ROTATE_BYTES", 4_096)  # so that segments are opened often
    handle, engine = start()
    broken = type(engine)("broken")
    handle.attach(broken)
    del broken.app
    engine.emit(TaskEvent(STARTED, "the first"))
    assert handle.process.hand is not None
    ways, injected, took = acts(injector, engine, broken) + page_acts(handle, engine), 0, []

    n = 0
    while injected + injector.fired.total() < wanted:
        began = CLOCK.monotonic()
        injected += ways[n % len(ways)](n)
        took.append(CLOCK.monotonic() - began)
        n += 1
    injected += injector.fired.total()
    injector.armed = ""

    p99_us = sorted(took)[len(took) * 99 // 100] * 1e6
    with capsys.disabled():
        calls = ", ".join(f"{name} {times}" for name, times in injector.fired.most_common())
        print(f"\n{injected} faults in {n} hooks, 0 reached the app, hook p99 {p99_us:.0f} µs")
        print(f"of these in system calls: {calls}")
    # After a failed write the spool looks for room only now and then: few calls are there to fail.
    assert all(injector.fired[name] > 0 for name in ("write", "fstat", "open", "link"))

    def arrives():
        engine.emit(TaskEvent(STARTED, "the last"))
        return brain.store.kinds("the last")

    assert eventually(arrives, "an event after the faults", 30)


@pytest.mark.parametrize("call", ["open", "write"])
def test_a6_a_page_that_cannot_be_made_leaves_hooks_that_write_to_the_spool(
    brain, start, injector, monkeypatch, call
):
    monkeypatch.setattr(hands, "os", FaultyOs(injector.call))
    handle, engine = start()
    injector.armed = call

    hands_before = injector.fired[call]
    engine.emit(TaskEvent(STARTED, "t1"))

    assert injector.fired[call] == hands_before + 1
    assert handle.process.hand is None
    brain.wait_for(lambda: brain.store.kinds("t1") == [4], 30)
    assert handle.status()["hook_errors"] == 0


@pytest.mark.parametrize("transport", ["websocket"])
@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a6_what_ends_the_app_is_never_swallowed(start, injector, monkeypatch, stop):
    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))

    def ending(*_args):
        raise stop

    monkeypatch.setattr(boundary, "pack", ending)
    with pytest.raises(stop):
        engine.emit(TaskEvent(STARTED, "t2"))
    with pytest.raises(stop):
        engine.emit.hook(ending)()


def test_a6_malformed_answers_of_a_brain_end_sessions_and_nothing_else(brain, start):
    chance = random.Random(11)

    def spoilt(data):
        changed = bytearray(data)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        return bytes(changed)

    with Proxy(("127.0.0.1", brain.port)) as proxy:
        handle, engine = start(dsn=brain.dsn.replace(f":{brain.port}/", f":{proxy.port}/"))
        engine.emit(TaskEvent(STARTED, "t0"))
        brain.wait_for(lambda: brain.store.kinds("t0") == [4])
        proxy.change_down = spoilt
        for n in range(2_000):
            engine.emit(TaskEvent(STARTED, f"u{n}"))
        brain.wait_for(lambda: proxy.carried.connections >= 3, 30)
        proxy.change_down = None

        brain.wait_for(lambda: len(brain.store.tasks) == 2_001, 40)
    assert handle.status()["hook_errors"] == 0


@pytest.mark.parametrize(
    "stride", [27, pytest.param(1, marks=[pytest.mark.soak, pytest.mark.timeout(600)])]
)
def test_a1_a_connection_reset_after_any_byte_is_an_absence(brain, start, transport, stride):
    handle, _ = start()
    process = handle.process
    process.own("script", send=False)
    agent = Agent(process)
    with Proxy(("127.0.0.1", brain.port)) as proxy:
        process.settings = replaced(process.settings, brain, proxy)
        dsn = read_dsn(process.settings)
        seen = Counter()
        for left in range(0, 600, stride):
            proxy.change_down = cutting(proxy, left)
            with pytest.raises((Away, Closed, WireError)) as ended:
                Session(agent, dsn).run(lambda _sender: False)
            seen[ended.type] += 1

    assert sum(seen.values()) == len(range(0, 600, stride))
    assert Closed in seen
    assert transport == "poll" or Away in seen


def cutting(proxy, left):
    """Let `left` bytes pass, then reset the connection."""
    budget = [left]

    def change(data):
        passed, budget[0] = data[: budget[0]], max(0, budget[0] - len(data))
        if budget[0] == 0:
            threading.Timer(0.01, proxy.cut).start()
        return passed

    return change


def replaced(settings, brain, proxy):
    from dataclasses import replace

    from z4j_core.config import load

    found = load({"dsn": brain.dsn.replace(f":{brain.port}/", f":{proxy.port}/")}, environ={})
    return replace(settings, dsn=found.settings.dsn)


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.REFUSE])
def test_a8_a_hanging_or_absent_brain_delays_the_end_of_a_process_by_two_seconds_at_most(
    brain, tmp_path, fault
):
    with Proxy(("127.0.0.1", brain.port), fault=fault) as proxy:
        process = script(
            brain, tmp_path,
            """
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            emit("STARTED", "t1")
            print("up", flush=True)
            while True:
                threading.Event().wait(0.05)
            """,
            dsn=brain.dsn.replace(f":{brain.port}/", f":{proxy.port}/"),
        )  # fmt: skip
        process.stdout.readline()

        began = CLOCK.monotonic()
        process.terminate()
        process.communicate(timeout=10)
        took_s = CLOCK.monotonic() - began

    assert process.returncode == 0
    assert took_s < 2.5


LOOP = """
import asyncio
async def main():
    loop, late = asyncio.get_running_loop(), []
    async def worker(n):
        for i in range(50):
            emit("STARTED", f"t{n}-{i}")
            await asyncio.sleep(0.001)
    async def ticker():
        while True:
            due = loop.time() + 0.01
            await asyncio.sleep(0.01)
            late.append(loop.time() - due)
    tick = asyncio.create_task(ticker())
    await asyncio.gather(*(worker(n) for n in range(20)))
    tick.cancel()
    print("late", max(late), flush=True)
asyncio.run(main())
os._exit(0)
"""
GREENLETS = """
import asyncio, gevent, time
late = []
def worker(n):
    for i in range(50):
        emit("STARTED", f"t{n}-{i}")
        gevent.sleep(0.001)
def ticker():
    while True:
        due = time.monotonic() + 0.01
        gevent.sleep(0.01)
        late.append(time.monotonic() - due)
tick = gevent.spawn(ticker)
gevent.joinall([gevent.spawn(worker, n) for n in range(20)], raise_error=True)
tick.kill()
asyncio.run(asyncio.sleep(0))
print("late", max(late), flush=True)
handle.flush(SECONDS)
os._exit(0)
"""


@pytest.mark.parametrize("fault", [Fault.NONE, Fault.HANG, Fault.REFUSE, Fault.CUT])
def test_a1_an_asyncio_host_goes_on_whatever_its_brain_does(brain, tmp_path, fault):
    late_s = host(brain, tmp_path, fault, LOOP)

    assert late_s < 1


@pytest.mark.parametrize("fault", [Fault.NONE, Fault.HANG, Fault.REFUSE, Fault.CUT])
def test_a3_a_gevent_host_goes_on_whatever_its_brain_does(brain, tmp_path, fault, transport):
    body = GREENLETS.replace("SECONDS", "10" if fault is Fault.NONE else "0.1")
    before = "from gevent import monkey; monkey.patch_all()\n"
    before += f"import os; os.environ['Z4J_TRANSPORT'] = {transport!r}"

    late_s = host(brain, tmp_path, fault, body, before)

    assert late_s < 1
    if fault is Fault.NONE:
        brain.wait_for(lambda: len(brain.store.tasks) == 1_000, 10)


def host(brain, tmp_path, fault, body, before=""):
    """Run a host process behind `fault`; the worst delay of its loop in seconds."""
    with Proxy(("127.0.0.1", brain.port), fault=fault) as proxy:
        dsn = brain.dsn.replace(f":{brain.port}/", f":{proxy.port}/")
        process = script(brain, tmp_path, body, before, dsn)
        said, _ = process.communicate(timeout=40)
    assert process.returncode == 0
    word, late_s = said.split()
    assert word == "late"
    return float(late_s)
