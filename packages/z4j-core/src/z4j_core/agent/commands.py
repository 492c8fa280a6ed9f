"""Carrying out commands. The rule: the order of checks, then a durable intent, then the act.

known id -> deadline -> advertised -> policy -> parameters -> intent -> act per target -> result
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ..clock import Clock
from ..engine import capabilities
from ..errors import Refused
from ..invoke import Answering, Outcome, attempt, invoke
from ..model.commands import Capability, ResultState, Scope, TargetCode
from .boundary import Emitter, find_emitter, pack
from .firing import PARAMS, Registered, admit, names_of, place, read_order
from .journal import Entry, Journal
from .lookups import LOOKUPS
from .policy import Policy, Verdict
from .replays import Replays
from .results import Result, Target, interrupted, result_item, target_of
from .runs import BY_SCHEDULE, ORIGIN, Origin
from .verbs import VERBS, Call, Done, Verb, checked

_COMMAND_ORIGIN = 2


def _maybe_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _maybe_number(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _list(value: Any) -> bool:
    return isinstance(value, list)


def _by_reference(_call: Call) -> Done:
    raise AssertionError("retry needs the replay store, a fire its ledger")


_RETRY = Verb(_by_reference, {"queue": _maybe_text, "eta": _maybe_number, "digests": _list})
_FIRE = Verb(_by_reference, PARAMS)
ROWS: Mapping[str, Verb] = {**VERBS, **LOOKUPS, "retry": _RETRY, "fire": _FIRE}
"""Every verb this agent can carry out."""
FIRED_BY = {"fire": "enqueue"}
"""Verbs that an engine offers by implementing another."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as received; `deadline` in seconds of the boot clock."""

    cmd_id: bytes
    verb: str
    engine: str
    app: str
    targets: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    deadline: float = 0.0
    dry_run: bool = False


class Commands:
    """Takes commands from the agent's thread and does them, one after the other, on its own."""

    def __init__(
        self,
        emitters: Callable[[], list[Emitter]],
        policy: Policy,
        journal: Journal | None,
        replays: Replays,
        clock: Clock,
        answer: Callable[[bytes], object],
    ) -> None:
        self._emitters = emitters
        self._policy = policy
        self._journal = journal or Journal(None)
        self._replays = replays
        self.registered = Registered()
        """What the app declared itself; the agent's process knows it."""
        self._clock = clock
        self._answer = answer
        self._todo: queue.SimpleQueue[Command | Callable[[], object] | None] = queue.SimpleQueue()
        self._aborted: set[bytes] = set()
        self._flying: set[bytes] = set()
        self._thread: threading.Thread | None = None

    def submit(self, command: Command) -> None:
        """Take a command; returns at once. A known id gets its stored result again."""
        if command.cmd_id in self._flying:
            return
        known = self._journal.entries.get(command.cmd_id)
        if known is not None and known.result is not None:
            self._answer(known.result)
            return
        self._flying.add(command.cmd_id)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="z4j-commands", daemon=True)
            self._thread.start()
        self._todo.put(command)

    def then(self, act: Callable[[], object]) -> None:
        """Call `act` once all that was submitted so far is done."""
        if self._thread is None:
            act()
        else:
            self._todo.put(act)

    def abort(self, cmd_id: bytes) -> None:
        """Stop a command before its next target."""
        if cmd_id in self._flying:
            self._aborted.add(cmd_id)

    def stop(self) -> None:
        """Take no more; what runs goes on to its end."""
        if self._thread is not None:
            self._todo.put(None)

    def end_interrupted(self, entries: OrderedDict[bytes, Entry]) -> None:
        """Answer for commands whose process died before it could; nothing is repeated.

        Of those with a result only the newest may have died unsaid: they are done one by one.
        """
        newest = next(reversed(entries), None)
        for cmd_id, entry in entries.items():
            if entry.result is None:
                result = interrupted(entry)
                entry.result = pack(result_item(cmd_id, result, self._clock.wall_us()))
                self._answer(entry.result)
            elif cmd_id == newest:
                self._answer(entry.result)
            with contextlib.suppress(Refused):
                self._journal.remember(cmd_id, entry)

    def _work(self) -> None:
        while (work := self._todo.get()) is not None:
            if isinstance(work, Command):
                self._finish(work, self._carry_out(work))
            else:
                work()

    def _finish(self, command: Command, result: Result) -> None:
        body = pack(result_item(command.cmd_id, result, self._clock.wall_us()))
        if command.cmd_id in self._journal.entries:
            try:
                self._journal.result(command.cmd_id, body)
            except Refused as error:
                self._journal.entries[command.cmd_id].result = body
                result = result.noting(f"result not journaled: {error}")
                body = pack(result_item(command.cmd_id, result, self._clock.wall_us()))
        self._answer(body)
        self._flying.discard(command.cmd_id)
        self._aborted.discard(command.cmd_id)

    def _carry_out(self, command: Command) -> Result:
        started = self._clock.monotonic()
        outcome = attempt(lambda: self._checked(command))
        result = outcome.value if outcome.ok else self._unfinished(command, outcome)
        took_ms = int((self._clock.monotonic() - started) * 1000)
        return result.timed(took_ms)

    def _unfinished(self, command: Command, outcome: Outcome) -> Result:
        """The answer when a check refused, or something failed that is no answer of an engine."""
        entry = self._journal.entries.get(command.cmd_id)
        if entry is not None:
            return interrupted(entry).noting(outcome.detail)
        state = ResultState.FAILED if outcome.code == "engine.error" else ResultState.REFUSED
        return Result(state, outcome.code, outcome.detail, rule=outcome.rule)

    def _checked(self, command: Command) -> Result:
        if self._clock.boottime() > command.deadline:
            return Result(ResultState.EXPIRED, "command.expired", "the deadline has passed")
        row = ROWS.get(command.verb)
        emitter = find_emitter(self._emitters(), command.engine, command.app)
        scope = _advertised(emitter, command.verb) if emitter else None
        if row is None or emitter is None or scope is None:
            raise Refused("command.unknown", f"{command.verb} is not offered for {command.engine}")
        refused = self._refusals(command, row, emitter)
        if refused and len(refused) >= len(command.targets or ("",)):
            first = next(iter(refused.values()))
            raise Refused("policy.level", f"{command.verb} is not permitted here", rule=first.rule)
        checked(command.params, row.params)
        if command.verb == "fire":
            self._admit(command, emitter)
        asked = Scope(command.params.get("scope", int(scope))) & scope or scope
        targets = command.targets or ("",)
        if command.dry_run:
            return self._rehearsed(command, emitter, targets, refused)
        if not row.read_only:
            self._journal.intent(command.cmd_id, len(targets), self._clock.wall_us())
        done = [
            self._target(command, row, emitter, asked, index, refused.get(index))
            for index in range(len(targets))
        ]
        return Result.of(done)

    def _admit(self, command: Command, emitter: Emitter) -> None:
        invocation = read_order(command.params).invocation
        names = names_of(Answering(emitter.engine))
        admit(self._policy, self.registered, names, invocation)

    def _refusals(self, command: Command, row: Verb, emitter: Emitter) -> dict[int, Verdict]:
        if command.verb == "fire":
            verdict = self._policy.decide("fire", _fired(command.params))
            return (
                {} if verdict.allowed else dict.fromkeys(range(len(command.targets) or 1), verdict)
            )
        if row.about != "task" or command.verb == "enqueue":
            names: list[str | None] = [
                t if command.verb == "enqueue" else None for t in command.targets
            ]
            verdicts = [self._policy.decide(command.verb, name) for name in names or [None]]
        else:
            verdicts = [self._decide(command, emitter, target) for target in command.targets]
        return {i: verdict for i, verdict in enumerate(verdicts) if not verdict.allowed}

    def _decide(self, command: Command, emitter: Emitter, target: str) -> Verdict:
        if command.verb == "rate_limit":
            return self._policy.decide(command.verb, target)
        if not self._policy.has_globs:
            return self._policy.decide(command.verb)
        name = self._name_of(emitter, target)
        if name is None:
            return self._policy.decide_unknown(command.verb)
        return self._policy.decide(command.verb, name)

    def _name_of(self, emitter: Emitter, task_id: str) -> str | None:
        name = emitter.runs.name_of(task_id)
        if name is None:
            kept = invoke(lambda: self._replays.find(emitter, task_id))
            name = kept.value.task if kept.ok and kept.value is not None else None
        if name is None and callable(fetch := getattr(Answering(emitter.engine), "fetch", None)):
            outcome = invoke(lambda: fetch(task_id))
            name = outcome.value.task if outcome.ok else None
        return name

    def _rehearsed(
        self,
        command: Command,
        emitter: Emitter,
        targets: tuple[str, ...],
        refused: Mapping[int, Verdict],
    ) -> Result:
        done = []
        for index, target in enumerate(targets):
            code = TargetCode.REFUSED if index in refused else TargetCode.OK
            evidence = None
            if code is TargetCode.OK and command.verb == "purge":
                evidence = self._call(
                    command, VERBS["depth"], emitter, Scope.BROKER, target
                ).evidence
            if code is TargetCode.OK and command.verb == "retry":
                code = self._replay_code(emitter, target)
            done.append(Target(index, code, evidence=evidence))
        return Result.of(done)

    def _replay_code(self, emitter: Emitter, target: str) -> TargetCode:
        kept = invoke(lambda: self._replays.find(emitter, target))
        return TargetCode.OK if kept.ok and kept.value else TargetCode.NO_REPLAY_RECORD

    def _target(
        self,
        command: Command,
        row: Verb,
        emitter: Emitter,
        scope: Scope,
        index: int,
        refused: Verdict | None,
    ) -> Target:
        if refused is not None:
            return Target(index, TargetCode.REFUSED, reason="policy.level", rule=refused.rule)
        if command.cmd_id in self._aborted:
            return Target(index, TargetCode.ABORTED, reason="command.aborted")
        if self._clock.boottime() > command.deadline:
            return Target(index, TargetCode.NOT_STARTED, reason="command.expired")
        if not row.read_only:
            self._journal.start(command.cmd_id, index)
        target = self._call(command, row, emitter, scope, (command.targets or ("",))[index])
        if not row.read_only:
            self._journal.code(command.cmd_id, index, int(target.code), target.new_id)
        return target._replace(place=index)

    def _call(
        self, command: Command, row: Verb, emitter: Emitter, scope: Scope, target: str
    ) -> Target:
        act = self._act(command, row, emitter, scope, target)
        token = ORIGIN.set(_origin_of(command, target))
        try:
            outcome = invoke(act)
        finally:
            ORIGIN.reset(token)
        return target_of(outcome)

    def _act(
        self, command: Command, row: Verb, emitter: Emitter, scope: Scope, target: str
    ) -> Callable[[], Done | Any]:
        if command.verb == "retry":
            digest = _digest_of(command, target)
            return lambda: self._replays.retry(emitter, target, command.params, digest)
        if command.verb == "fire":
            order, source = read_order(command.params), emitter.source
            tell = lambda line: self._answer(pack(line))  # noqa: E731
            return lambda: place(emitter.engine, source, order, self._clock, tell)
        call = Call(Answering(emitter.engine), target, command.params, scope, emitter.previews)
        return lambda: _with_lent(emitter, command.verb, call, row)


def _origin_of(command: Command, target: str) -> Origin:
    if command.verb != "fire":
        retry_of = target if command.verb == "retry" else None
        return Origin(_COMMAND_ORIGIN, command.cmd_id, retry_of)
    order = read_order(command.params)
    fire = UUID(order.fire_id).bytes
    return Origin(BY_SCHEDULE, command.cmd_id, None, order.schedule, fire, order.slot)


def _advertised(emitter: Emitter, verb: str) -> Scope | None:
    verb = FIRED_BY.get(verb, verb)
    return {str(c.value): scope for c, scope in capabilities(emitter.engine).items()}.get(verb)


def _with_lent(emitter: Emitter, verb: str, call: Call, row: Verb) -> Done:
    """Act, and keep gates and tombstones in step with what the engine was told."""
    if verb == Capability.PAUSE and call.params.get("again"):
        emitter.gate(call.target).shut()
        # Who is not up yet looks at its gates before it consumes.
        return row.act(call) if emitter.workers else Done()
    done = row.act(call)
    if verb == Capability.PAUSE:
        emitter.gate(call.target).shut()
    elif verb == Capability.RESUME:
        emitter.gate(call.target).reopen()
    elif verb == Capability.CANCEL and done.code is not TargetCode.ALREADY:
        emitter.tombstones().add(call.target)
    return done


def _fired(params: Mapping[str, Any]) -> str | None:
    """The task that a fire is of, as far as it can be read before the order is checked."""
    invocation = params.get("invocation")
    task = invocation.get("task") if isinstance(invocation, dict) else None
    return task if isinstance(task, str) else None


def _digest_of(command: Command, target: str) -> bytes | None:
    digests = command.params.get("digests") or ()
    index = command.targets.index(target)
    return digests[index] if index < len(digests) else None
