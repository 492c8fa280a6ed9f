"""REGISTER: who this process is and what it can do. The rule: verbs come from the engines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..engine import capabilities
from ..wire.bodies import App, Policy, Register, Verb
from .boundary import Emitter
from .commands import FIRED_BY, ROWS
from .meta import stream_meta, version_of
from .policy import Policy as LocalPolicy

if TYPE_CHECKING:
    from .process import Process


def register(
    process: Process, policy: LocalPolicy, apps: tuple[App, ...] | None = None
) -> Register:
    """The body of REGISTER as of now; with other `apps` than there are also without groups."""
    spool = process.spool
    assert spool is not None
    meta = stream_meta(process.settings, process.role, process.framework)
    return Register(
        **meta,
        stream=spool.stream,
        epoch=spool.epoch,
        storage=spool.storage,
        clock=process.clock.wall_us(),
        policy=Policy(policy.text, policy.digest),
        apps=apps_of(process) if apps is None else apps,
        groups=process.groups.told() if apps is None else (),
    )


def apps_of(process: Process) -> tuple[App, ...]:
    """Every engine of this process that can tell who it is, with what it offers here."""
    told = (emitter.quietly(partial(_app, emitter)) for emitter in process.emitters)
    return tuple(app for app in told if app is not None)


def _app(emitter: Emitter) -> App:
    engine = emitter.engine
    verbs = [
        Verb(str(verb.value), int(scope))
        for verb, scope in capabilities(engine).items()
        if verb.value in ROWS
    ]
    offered = {verb.verb: verb for verb in verbs}
    verbs += [Verb(verb, offered[by].scope) for verb, by in FIRED_BY.items() if by in offered]
    return App(
        engine=emitter.source.engine,
        app=emitter.source.app,
        engine_version=version_of(engine.name),
        adapter_version=version_of(f"z4j-{engine.name}"),
        verbs=tuple(verbs),
        sources=(),
        unavailable={str(verb.value): reason for verb, reason in engine.unavailable.items()},
    )
