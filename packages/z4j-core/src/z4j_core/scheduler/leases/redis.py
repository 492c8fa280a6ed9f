"""A lease store in Redis or Valkey 5 and later. The rule: one script per write, by Redis' clock.

Keys are `z4j:{project/engine/app}:` and lease, cur, cnt, open, snap, run:<schedule>, g:<fire> and
e:<fire> (a run that ended). Only the last two leave by themselves: a server that evicts keys under
pressure loses cursors, see `eviction_risk`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, cast

from ...errors import LeaseLost, StoreError, StoreUnavailable
from ...replay.redis import client_errors
from ..lease import (
    MARGIN_MS,
    Acquired,
    Claim,
    Lease,
    Mark,
    OpenFire,
    Outcome,
    Refusal,
    RunOf,
    Sealed,
    Stand,
)
from . import lua
from .claims import GUARD_S, UNSEEN_MS, checked
from .listening import Listener

_REFUSALS = {-1: "held", -2: "other_broker", -3: "older_snapshot"}
_MISSING = "NOSCRIPT"


class Client(Protocol):
    """What is needed of a synchronous Redis client, whoever made it. It returns bytes."""

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: Any) -> Any: ...
    def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any: ...
    def set(self, name: str, value: Any, *, ex: int, nx: bool) -> Any: ...
    def get(self, name: str) -> Any: ...
    def exists(self, *names: str) -> Any: ...
    def delete(self, *names: str) -> Any: ...
    def hgetall(self, name: str) -> Any: ...
    def hset(self, name: str, key: str, value: Any) -> Any: ...
    def publish(self, channel: str, message: Any) -> Any: ...
    def pubsub(self) -> Any: ...


class RedisStore:
    """The store of one group, over a client of the engine or a function that makes one.

    `boottime` reads seconds of the boot clock. `unseen_ms` and `guard_s` are for tests.
    """

    kind = "redis"
    survives_brain = True

    def __init__(
        self,
        client: Client | Callable[[], Client],
        group: str,
        boottime: Callable[[], float],
        *,
        unseen_ms: int = UNSEEN_MS,
        guard_s: int = GUARD_S,
    ) -> None:
        self._made = client if hasattr(client, "evalsha") else None
        self._make = client
        self._base = f"z4j:{{{group}}}:"
        self._boottime = boottime
        self._unseen_ms = unseen_ms
        self._guard_s = guard_s
        wake = self._key("wake")
        self._listener = Listener(wake, f"{wake}:{os.urandom(8).hex()}", boottime)

    def acquire(self, owner: str, *, ttl_ms: int, fp: str, rev: str) -> Acquired:
        """Become the leader, or hear why not."""
        before = self._boottime()
        keys = ("lease", "snap")
        first, exp, now, known = self._run(lua.ACQUIRE, keys, owner, ttl_ms, fp, rev)
        if first in _REFUSALS:
            return Refusal(_REFUSALS[first], exp, now, _text(known))
        return Lease(owner, first, self._deadline(before, ttl_ms), now, _text(known))

    def is_blank(self) -> bool:
        """Whether nobody ever led here: what a leader leaves stays until the server is emptied."""
        return not self._asked(lambda client: client.exists(self._key("lease")))

    def renew(self, lease: Lease, *, ttl_ms: int) -> Lease:
        """Hold it for longer."""
        before = self._boottime()
        _, now, rev = self._fenced(lua.RENEW, ("lease", "snap"), lease, ttl_ms)
        return lease._replace(
            deadline=self._deadline(before, ttl_ms), store_now_ms=now, rev=_text(rev)
        )

    def release(self, lease: Lease) -> None:
        """Give it back and wake those who wait."""
        self._run(lua.RELEASE, ("lease",), lease.owner, lease.epoch, self._key("wake"))

    def cursors(self) -> dict[str, Stand]:
        """Schedule to how far it has come."""
        slots, counts = self._all("cur"), self._all("cnt")
        found: dict[str, Stand] = {}
        for name, value in slots.items():
            failures, _, last = counts.get(name, b"0:").partition(b":")
            generation, slot, fires = map(int, value.split(b":"))
            found[_text(name)] = Stand(generation, slot, fires, int(failures), _text(last))
        return found

    def claim(self, lease: Lease, fires: Sequence[Claim]) -> list[Outcome]:
        """Write down who fires which slots, in one step."""
        checked(fires)
        told: list[Any] = []
        for fire in fires:
            most = -1 if fire.max_fires is None else fire.max_fires
            told += (fire.schedule, fire.generation, fire.slot_ms, fire.fire_id, fire.record, most)
        _, outcomes = self._fenced(lua.CLAIM, ("lease", "cur", "open"), lease, *told)
        return [Outcome(outcome) for outcome in outcomes]

    def settle(self, lease: Lease, marks: Sequence[Mark]) -> None:
        """Write down what became of fires."""
        told = [value for mark in marks for value in mark]
        self._fenced(lua.SETTLE, ("lease", "open"), lease, *told)

    def open(self) -> list[OpenFire]:
        """Fires that are not settled, oldest slot first."""
        fires = [_open_of(name, value) for name, value in self._all("open").items()]
        return sorted(fires, key=lambda fire: (fire.slot_ms, fire.fire_id))

    def first_start(self, fire_id: str, enq: int) -> bool:
        """Whether this copy of a fire may run."""
        key = self._key(f"g:{fire_id}")
        if self._asked(lambda client: client.set(key, enq, ex=self._guard_s, nx=True)):
            return True
        held = self._asked(lambda client: client.get(key))
        return held is None or int(held) == enq

    def forget_start(self, fire_id: str) -> None:
        """Let the next copy of a fire start."""
        self._asked(lambda client: client.delete(self._key(f"g:{fire_id}")))

    def was_started(self, fire_id: str) -> bool:
        """Whether a copy of this fire has ever begun, as far as the guard remembers."""
        return bool(self._asked(lambda client: client.exists(self._key(f"g:{fire_id}"))))

    def run_started(self, schedule: str, fire_id: str, *, started: bool) -> None:
        """Note that a fire was sent, or runs."""
        keys = (f"run:{schedule}", f"e:{fire_id}")
        self._run(lua.RUN_STARTED, keys, fire_id, int(started), self._unseen_ms)

    def run_ended(self, schedule: str, fire_id: str, *, failed: bool) -> int:
        """Note that a run ended for good; how many failed in a row by now."""
        keys = (f"run:{schedule}", f"e:{fire_id}", "cnt")
        args = (fire_id, schedule, int(failed), self._guard_s)
        return int(self._run(lua.RUN_ENDED, keys, *args))

    def running(self, schedule: str) -> list[RunOf]:
        """Runs that have not ended."""
        row = iter(self._run(lua.RUNNING, (f"run:{schedule}",), self._unseen_ms))
        runs: list[RunOf] = []
        for name, value in zip(row, row, strict=True):
            since, seen, started = map(int, value.split(b":"))
            runs.append(RunOf(_text(name), since, seen, bool(started)))
        return sorted(runs, key=lambda run: (run.since_ms, run.fire_id))

    def reset_failures(self, schedule: str) -> None:
        """Start to count failures anew."""
        self._run(lua.RESET, ("cnt",), schedule)

    def snapshot(self) -> Sealed | None:
        """The newest snapshot, None where none was put."""
        kept = self._all("snap")
        if b"rev" not in kept or b"head" not in kept:
            return None
        rev, head = kept.pop(b"rev"), kept.pop(b"head")
        return Sealed(_text(rev), head, {int(name): value for name, value in kept.items()})

    def put_snapshot(self, snapshot: Sealed) -> bool:
        """Keep a snapshot unless an equal or newer one is there."""
        told: list[Any] = ["head", snapshot.head]
        for number, rows in snapshot.buckets.items():
            told += (number, rows)
        return bool(self._run(lua.PUT, ("snap",), snapshot.rev, self._key("wake"), *told))

    def admit(self, fp: str) -> None:
        """Let the group move to another broker; an operator decided so."""
        self._asked(lambda client: client.hset(self._key("lease"), "fp", fp))

    def wait(self, timeout_s: float) -> bool:
        """Sleep until something changed or time is up; true at once where none could tell."""
        return bool(self._asked(lambda client: self._listener.wait(client, timeout_s)))

    def wake(self) -> None:
        """End a `wait` of this object in another thread."""
        self._listener.wake(self._made, client_errors())

    def close(self) -> None:
        """Stop listening; the client is the engine's."""
        self._listener.close(client_errors())

    def eviction_risk(self) -> str | None:
        """Why the server may lose what it was told to keep; None when it may not."""
        return cast("str | None", self._asked(eviction_risk))

    def _key(self, name: str) -> str:
        return self._base + name

    def _deadline(self, before: float, ttl_ms: int) -> float:
        return before + (ttl_ms - MARGIN_MS) / 1000

    def _all(self, name: str) -> dict[bytes, bytes]:
        return cast(
            "dict[bytes, bytes]", self._asked(lambda client: client.hgetall(self._key(name)))
        )

    def _fenced(self, script: lua.Script, keys: Iterable[str], lease: Lease, *args: Any) -> Any:
        answer = self._run(script, keys, lease.owner, lease.epoch, *args)
        if answer[0] < 0:
            raise LeaseLost("the lease ran out, or somebody else holds it")
        return answer

    def _run(self, script: lua.Script, names: Iterable[str], *args: Any) -> Any:
        keys = [self._key(name) for name in names]

        def ask(client: Client) -> Any:
            try:
                return client.evalsha(script.sha, len(keys), *keys, *args)
            except client_errors() as error:
                if type(error).__name__ != "NoScriptError" and _MISSING not in str(error):
                    raise
                return client.eval(script.text, len(keys), *keys, *args)

        return self._asked(ask)

    def _asked(self, ask: Callable[[Client], Any]) -> Any:
        try:
            if self._made is None:
                self._made = cast("Callable[[], Client]", self._make)()
            return ask(cast("Client", self._made))
        except client_errors() as error:
            raise StoreUnavailable(f"Redis did not answer: {error}") from error


def eviction_risk(client: Any) -> str | None:
    """Why a server may lose state it was told to keep, for Z4J-E302; None when it may not.

    A server that keeps its settings to itself (managed ones do) is asked in INFO instead.
    """
    try:
        policy = client.info("memory").get("maxmemory_policy", "")
    except client_errors() as error:
        raise StoreUnavailable(f"Redis did not answer: {error}") from error
    if not policy.startswith("allkeys"):
        return None
    return f"maxmemory-policy is {policy}: cursors of schedules may be evicted; set noeviction"


def _open_of(name: bytes, value: bytes) -> OpenFire:
    state, enq, generation, slot, epoch, claimed, length, rest = value.split(b":", 7)
    size = int(length)
    return OpenFire(
        _text(name), _text(rest[:size]), int(generation), int(slot), rest[size:], _text(state),
        int(enq), int(epoch), int(claimed),
    )  # fmt: skip


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise StoreError("the client decodes what it reads: give one that returns bytes")
    return value.decode()
