"""A z4j-scheduler that this server starts. The rule: it is a process like any other one.

One runs for each project that has groups which are fired centrally, with a key of its own. It ends
when this server does, however that ends: its input is a pipe that we hold.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from urllib.parse import urlsplit

from sqlalchemy import Connection
from z4j_core.errors import ConfigError

from ..agents import service as agents
from ..audit.service import Entry, record
from ..db import DRIVER_ERRORS
from ..schedules import modes
from ..settings import Settings
from ..web.context import Brain
from .dev import dsn_of

LABEL = "z4j serve --scheduler"
LOOK_S = 2.0
FIRST_S, LONGEST_S, STEADY_S = 0.5, 30.0, 60.0
"""After how long one that ended is started again: longer each time, unless it ran for a minute."""
END_S = 3.0
_ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not bound
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
log = logging.getLogger("z4j.scheduler")


def check(settings: Settings) -> None:
    """See that one can be started and can reach us.

    Raises:
        ConfigError: Z4J-E607.
    """
    if find_spec("z4j_scheduler") is None:
        raise ConfigError(
            "Z4J-E607", "--scheduler needs z4j-scheduler: pip install 'z4j[scheduler]'"
        )
    if _host(settings) not in _LOOPBACK:
        text = f"--scheduler reaches the server over loopback, which {settings.host} is not"
        raise ConfigError("Z4J-E607", text)


def _host(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return _ANY.get(settings.host, host)


def local_url(settings: Settings, port: int) -> str:
    """Where a process of this machine reaches the server."""
    return f"http://{_host(settings)}:{port}{settings.prefix}"


def let_in(settings: Settings, url: str) -> tuple[str, ...]:
    """URLs that agents may come by, with our own where not all may."""
    return (*settings.agent_urls, url) if settings.public_url or settings.agent_urls else ()


class Embedded:
    """Keeps one child per project running until it is cancelled."""

    def __init__(self, brain: Brain, url: str) -> None:
        self._brain = brain
        self._url = url
        self._kept: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look for projects that need one; on cancellation end all."""
        try:
            while True:
                with suppress(*DRIVER_ERRORS):  # the database tells its own trouble
                    await self._look()
                await asyncio.sleep(LOOK_S)
        finally:
            for task in self._kept.values():
                task.cancel()
            await asyncio.gather(*self._kept.values(), return_exceptions=True)

    async def _look(self) -> None:
        wanted = await self._brain.db.read(modes.projects)
        for project_id in self._kept.keys() - wanted.keys():
            self._kept.pop(project_id).cancel()
        for project_id, slug in wanted.items():
            if project_id not in self._kept:
                dsn = await self._brain.db.write(_dsn, self._brain, project_id, self._url, slug)
                self._kept[project_id] = asyncio.create_task(_keep(slug, dsn))


async def _keep(slug: str, dsn: str) -> None:
    """Start it again whenever it ends."""
    pause_s, loop = FIRST_S, asyncio.get_running_loop()
    while True:
        started = loop.time()
        code = await _ran(dsn)
        pause_s = FIRST_S if loop.time() - started > STEADY_S else pause_s
        log.warning("the scheduler of %s ended with %d, again in %g s", slug, code, pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(LONGEST_S, pause_s * 2)


async def _ran(dsn: str) -> int:
    """Run one to its end; its exit code, or 127 where it cannot be started."""
    try:
        child = await _start(dsn)
    except OSError as error:
        log.warning("no scheduler can be started: %s", error)
        return 127
    try:
        return await child.wait()
    finally:
        await _end(child)


async def _start(dsn: str) -> Process:
    command = [sys.executable, "-m", "z4j_scheduler", "serve", "--until-eof"]
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, env=_environment(os.environ, dsn), start_new_session=True
    )


def _environment(own: Mapping[str, str], dsn: str) -> dict[str, str]:
    """Ours without what is said to a brain, for its secrets are no concern of a scheduler."""
    return {name: text for name, text in own.items() if not name.startswith("Z4J_")} | {
        "Z4J_DSN": dsn
    }


async def _end(child: Process) -> None:
    """Let it hand over, then see that it is gone."""
    if child.returncode is not None:
        return
    assert child.stdin is not None
    child.stdin.close()
    try:
        await asyncio.wait_for(child.wait(), END_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _dsn(conn: Connection, brain: Brain, project_id: str, url: str, slug: str) -> str:
    """The DSN of the key that embedded schedulers of a project share, made when there is none."""
    key = agents.key_labelled(conn, brain.roots, project_id, agents.SCHEDULER, LABEL)
    if key is None:
        key = agents.create_key(
            conn, brain.roots, brain.entropy, project_id=project_id, now_us=brain.now_us(),
            holder=agents.Holder(LABEL, agents.SCHEDULER),
        )  # fmt: skip
        detail = {"kid": key.kid, "role": agents.SCHEDULER}
        who = ("agent_key.create", "z4j", "serve", project_id, f"key {key.cred_id}")
        record(conn, brain.new_id(), brain.now_us(), Entry(*who, detail=detail))
    return dsn_of(urlsplit(url).geturl(), key.key_id, key.secret, slug)
