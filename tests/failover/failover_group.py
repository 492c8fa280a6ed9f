"""A group of schedules that three Celery workers may fire, and one more runs.

The rule: who may lead does nothing else, so that what is killed with it is a leader and no task.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from failover_books import Plan, Run, balance
from failover_place import Server, database, through
from z4j_testing.proxy import Fault, Proxy
from z4j_testing.signals import eventually

HERE = Path(__file__).parent
CANDIDATES = 3
PERIODS_MS = (500, 1_000)
SETTLE_S = 180.0
LOOK_S = 0.2
GRACE_S = 3_600
"""So late a slot may be and still fires: on a busy machine late is late, and not lost."""
PATH = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
never = threading.Event()


class Word(NamedTuple):
    """What a candidate said of itself: `stands`, `leads` or `ceases`."""

    what: str
    pid: int
    epoch: int
    at: int


class Tail:
    """Lines of a file that grows, each parsed once."""

    def __init__(self, path, parse):
        self.path, self.parse, self.lines, self._offset = path, parse, [], 0

    def read(self):
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._offset += len(whole)
            self.lines += [self.parse(line) for line in whole.decode().splitlines()]
        return self.lines


def word_of(line):
    what, *numbers = line.split()
    return Word(what, *map(int, numbers))


def run_of(line):
    fire, at = line.split()
    return Run(fire, int(at))


def now_ms():
    return time.time_ns() // 1_000_000


class Candidate:
    """A worker that may lead, on a host of its own; it comes to its lease store through a proxy."""

    def __init__(self, group, number, proxy):
        self.group, self.number, self.proxy = group, number, proxy
        self.child = None

    @property
    def pid(self):
        return self.child.process.pid

    def start(self):
        name = f"{self.group.app}-{self.number}"
        env = {
            "FAILOVER_WATCH": str(self.group.words.path), "FAILOVER_QUEUE": f"idle-{name}",
            "Z4J_SPOOL_DIR": str(self.group.home / f"spool-{name}"),
            "Z4J_LEASE_STORE": through(self.group.store_url, self.proxy), **self.group.lies,
        }  # fmt: skip
        self.child = self.group.worker(name, f"idle-{name}", env)

    def send(self, number):
        self.child.process.send_signal(number)

    def again(self):
        """Begin anew once the process is gone."""
        self.child.process.wait(60)
        self.group.place.family.children.remove(self.child)
        self.start()


class Group:
    """Schedules, who may fire them, who runs what they fire, and the books of it.

    `store` is `redis` for the broker's, `apart` for a Redis of its own, `postgresql`, or a URL;
    `ttl_s` how long a lease lasts, None for the usual time.
    """

    def __init__(self, place, app, store="redis", ttl_s=None, *, lease_env=None):
        self.place, self.app, self.store, self.ttl_s = place, app, store, ttl_s
        self.home = place.home / app
        self.lies, self.lease_env = {}, lease_env
        self.words = Tail(self.home / "words", word_of)
        self.runs = Tail(self.home / "ran", run_of)
        self.plans = []
        self.candidates = []
        self._ends = ExitStack()

    def __enter__(self):
        self.home.mkdir()
        self.broker = Server(self.place.family, f"{self.app}-redis")
        self.store_url = self.broker.url
        if self.store == "postgresql":
            self.store_url = self._ends.enter_context(database())
        elif self.store == "apart":
            self.leases = Server(self.place.family, f"{self.app}-leases", self.lease_env)
            self.store_url = self.leases.url
        elif self.store != "redis":
            self.store_url = self.store
        return self

    def __exit__(self, *error):
        return self._ends.__exit__(*error)

    def start(self, candidates=CANDIDATES):
        """Start all, and make the schedules."""
        env = {"Z4J_SCHEDULER": "off", "Z4J_SPOOL_DIR": str(self.home / "spool")}
        self.worker(f"{self.app}-runs", "failover", {**env, "Z4J_LEASE_STORE": self.store_url})
        where = urlsplit(self.store_url)
        for number in range(candidates):
            proxy = Proxy((where.hostname, where.port), look_s=LOOK_S)
            self._ends.enter_context(proxy)
            self.candidates.append(Candidate(self, number, proxy))
            self.candidates[-1].start()
        self.schedule(*PERIODS_MS)
        return self

    def worker(self, name, queue, env):
        command = [sys.executable, "-m", "celery", "-A", "failover_app", "worker", "-P", "solo"]
        quiet = ["--without-mingle", "--without-gossip", "--without-heartbeat", "-l", "INFO"]
        given = {
            "FAILOVER_BROKER": self.broker.url, "FAILOVER_RAN": str(self.runs.path),
            "PYTHONPATH": PATH, "C_FORCE_ROOT": "1", "HOME": str(self.home),
            "Z4J_DSN": self.place.brain.dsn, "Z4J_ALLOW": "run", "Z4J_APP": self.app,
        }  # fmt: skip
        if self.ttl_s:
            given["Z4J_LEASE_TTL_S"] = str(self.ttl_s)
        return self.place.family.start(
            name, [*command, "-n", f"{name}@failover", "-Q", queue, *quiet],
            {**given, **env},
        )  # fmt: skip

    def schedule(self, *periods_ms, **more):
        for every_ms in periods_ms:
            made = self.place.rest.post("schedules", {
                "engine": "celery", "app": self.app, "name": f"{self.app} {every_ms}",
                "task": "failover.tick", "queue": "failover", "args": [],
                "specs": [{"kind": "interval", "every": every_ms / 1000, "anchor": "epoch"}],
                "grace_s": GRACE_S,
                **more,
            })  # fmt: skip
            since = self.place.brain.rows(
                "SELECT effective_ms FROM schedules WHERE id = :id", id=made["id"]
            )
            self.plans.append(Plan(made["id"], every_ms, since[0][0]))

    def leader(self):
        """Who leads now, as (word, candidate); None while that is nobody here."""
        leads = [word for word in self.words.read() if word.what == "leads"]
        newest = max(leads, key=lambda word: (word.epoch, word.at), default=None)
        if newest is None or any(
            word.what == "ceases" and word.pid == newest.pid and word.at >= newest.at
            for word in self.words.lines
        ):
            return None
        found = [each for each in self.candidates if each.pid == newest.pid]
        return (newest, found[0]) if found else None

    def standing_by(self, but):
        """Candidates that wait to lead."""
        said = {word.pid for word in self.words.read()}
        return [each for each in self.candidates if each is not but and each.pid in said]

    def settled(self):
        """(word, candidate) of a leader that fires, while another stands by."""

        def found():
            now = self.leader()
            if now is None or not self.standing_by(now[1]):
                return None
            return now if self.ran_since(now[0].at) else None

        return eventually(found, f"{self.app} to have a leader and another", SETTLE_S)

    def ran_since(self, at_ms):
        """The first run from a time on; None for none yet."""
        return next((run for run in self.runs.read() if run.at >= at_ms), None)

    def follower(self, word, timeout_s=SETTLE_S):
        """The word of who leads after another."""
        return eventually(
            lambda: next(
                (w for w in self.words.read() if w.what == "leads" and w.epoch > word.epoch), None
            ),
            f"{self.app}: somebody to lead after {word}", timeout_s,
        )  # fmt: skip

    def ceased(self, word):
        """The word of a leader once it knows that it is none any more."""
        return eventually(
            lambda: next(
                (
                    w for w in self.words.read()
                    if w.what == "ceases" and w.pid == word.pid and w.at >= word.at
                ),
                None,
            ),
            f"{self.app}: {word} to cease", SETTLE_S,
        )  # fmt: skip

    def books(self, until_ms=None):
        """The books up to a time, once all of it had time to run."""
        until_ms = now_ms() if until_ms is None else until_ms
        found = None

        def settled():
            nonlocal found
            found = balance(self.plans, self.runs.read(), until_ms)
            return not found.lost

        try:
            eventually(settled, "every slot to run", SETTLE_S)
        except AssertionError:
            return found  # the test tells what is lost
        return found


def kill(group, leader):
    """Without a word, as a host dies."""
    leader.send(signal.SIGKILL)
    return leader.again


def term(group, leader):
    """As a deployment does."""
    leader.send(signal.SIGTERM)
    return leader.again


def stop(group, leader):
    """For longer than the lease, as a host that swaps or a paused machine; then it goes on."""
    leader.send(signal.SIGSTOP)
    return lambda: leader.send(signal.SIGCONT)


def hang(group, leader):
    """Packets to the store vanish, and nobody is told."""
    leader.proxy.set(Fault.HANG)
    return lambda: leader.proxy.set(Fault.NONE)


def cut(group, leader):
    """Connections to the store are reset, and no new one is taken."""
    leader.proxy.set(Fault.CUT)
    return lambda: leader.proxy.set(Fault.NONE)


KINDS = {each.__name__: each for each in (kill, stop, hang, term, cut)}
SURVIVES = {"stop", "hang", "cut"}


class Took(NamedTuple):
    """One failover, in milliseconds from the fault: until somebody led, until it fired.

    `gap` is how long nobody led, as far as those say who led: only who is told to stop says it.
    """

    kind: str
    ttl_s: int | None
    store: str
    led: int
    fired: int
    gap: int | None


def fail_over(group, kind, chance):
    """One cycle: the leader fails in some way, another takes over, all is as before."""
    word, leader = group.settled()
    wait_for_moment(chance)
    at = now_ms()
    undo = KINDS[kind](group, leader)
    follower = group.follower(word)
    ran = eventually(lambda: group.ran_since(follower.at), f"{group.app}: fires", SETTLE_S)
    if kind in SURVIVES:
        never.wait(chance.uniform(0, 1))
    undo()
    if kind in SURVIVES:
        group.ceased(word)
    gap = follower.at - group.ceased(word).at if kind == "term" else None
    return Took(kind, group.ttl_s, group.store, follower.at - at, ran.at - at, gap)


def wait_for_moment(chance):
    """Half of the time while a slot is being placed, else at any time."""
    slot_ms = PERIODS_MS[0]
    left = slot_ms - now_ms() % slot_ms
    more = chance.uniform(-5, 30) if chance.random() < 0.5 else chance.uniform(0, slot_ms)
    never.wait((left + more) / 1000)
