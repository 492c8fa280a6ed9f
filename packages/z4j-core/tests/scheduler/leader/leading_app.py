"""A process that leads a group, for tests. The rule: what it places it appends to one file.

    python leading_app.py STORE OUT TTL_MS EVERY… : STORE is a URL of Redis or a directory

Each EVERY (seconds) is a schedule. A line is `fire epoch pid wall_ms enq`; `!` in place of the
fire says that this process leads now. A line on standard input: `cut`, `mend`, `stop`.
"""

from __future__ import annotations

import os
import sys
import threading
from uuid import UUID

from z4j_core.clock import SystemClock
from z4j_core.invoke import Outcome
from z4j_core.scheduler.document import Replica, read_definition
from z4j_core.scheduler.leader import Found, Loop, Settings
from z4j_core.scheduler.leases.file import FileStore
from z4j_core.scheduler.leases.redis import RedisStore
from z4j_core.scheduler.snapshot import Snapshot

CLOCK = SystemClock()


class Recording:
    """A host that writes down what it is told to place."""

    def __init__(self, out: str, snapshot: Snapshot) -> None:
        self.out = os.open(out, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.held = snapshot

    def snapshot(self):
        return self.held

    def place(self, job, enq, deadline_s):
        now = CLOCK.wall_us() // 1000
        line = f"{job.id} 0 {os.getpid()} {now} {enq}\n"
        os.write(self.out, line.encode())
        return Outcome(value=job.id)

    def end(self, fire_id, how):
        """Nothing runs."""

    def fetch(self, fire_id):
        return Found.UNKNOWN

    def brain_ms(self):
        return None

    def refresh(self):
        """Nobody knows more."""

    def tell(self, fact):
        """Nobody reads the ledger."""

    def note(self, code, text, *, is_over=False):
        print(code, text, flush=True)


def snapshot_of(seconds: list[str], created_ms: int) -> Snapshot:
    """Schedules with these periods."""
    rows = {}
    for number, every in enumerate(seconds):
        name = UUID(int=number + 1)
        definition = read_definition({
            "name": f"s{number}", "task": "work", "grace_s": 60,
            "specs": [{"kind": "interval", "every": float(every), "anchor": "epoch"}],
        })  # fmt: skip
        rows[name.bytes] = Replica(str(name), 1, 1, created_ms, created_ms, definition).encoded()
    return Snapshot(1, 1, "p", "e", "a", rows, {})


class Cuttable:
    """A store that can be cut off."""

    def __init__(self, store):
        self._store = store
        self.is_cut = False

    def __getattr__(self, name):
        from z4j_core.errors import StoreUnavailable

        if self.is_cut and name not in {"wake", "close"}:
            raise StoreUnavailable("cut by the test")
        return getattr(self._store, name)


def main(url: str, out: str, ttl_ms: str, created_ms: str, *seconds: str) -> None:
    """Lead until told otherwise."""
    if url.startswith("redis"):
        import redis

        address, _, group = url.partition("#")
        made = RedisStore(lambda: redis.Redis.from_url(address), group, CLOCK.boottime)
    else:
        made = FileStore(url, "p/e/a", CLOCK.boottime)
    store = Cuttable(made)
    host = Recording(out, snapshot_of(list(seconds), int(created_ms)))
    settings = Settings(f"{os.getpid()}", "fp", int(ttl_ms))
    loop = Loop(store, host, CLOCK, settings, os.urandom)
    loop.start()
    watch(loop, host)
    for line in sys.stdin:
        word = line.strip()
        if word in {"cut", "mend"}:
            store.is_cut = word == "cut"
        if word == "stop":
            break
    loop.stop(5.0)


def watch(loop: Loop, host: Recording) -> None:
    """Write down when this process begins to lead."""
    never = threading.Event()

    def look() -> None:
        led = False
        while not never.wait(0.02):
            leads = loop.is_leading
            if leads and not led:
                now = CLOCK.wall_us() // 1000
                os.write(host.out, f"! {loop.epoch} {os.getpid()} {now} 0\n".encode())
            led = leads

    threading.Thread(target=look, daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
