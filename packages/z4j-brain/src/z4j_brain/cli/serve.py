"""`z4j serve`: a working brain from one command. The rule: one line alone holds the link."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn
from sqlalchemy import Connection
from z4j_core.errors import ConfigError

from ..app import close_brain, create_app, open_brain
from ..auth import service as auth
from ..gateway import UVICORN
from ..settings import Settings
from ..web.context import Brain
from . import embedded
from .dev import Dev, prepare
from .options import parser, settings_of

RESEND_MOST_MS = 2_000
"""How long the kernel waits at most before it sends again: a network that is back is noticed."""
_TCP_RTO_MAX_MS = 44
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM."""
    options = _options().parse_args(argv)
    try:
        settings = _settings(options)
        check_exposure(settings)
        if settings.embedded_scheduler:
            embedded.check(settings)
        brain = open_brain(settings)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        return asyncio.run(serve(brain, options))
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        print(f"Z4J-E605 cannot listen on {where}: {error.strerror}", file=sys.stderr)
        return 2
    finally:
        close_brain(brain)


def _options() -> argparse.ArgumentParser:
    found = parser("serve", "Serve dashboard, API and agents from one process.")
    found.add_argument("--host", help="address to listen on (127.0.0.1)")
    found.add_argument("--port", type=int, help="port to listen on (4010; 0 is any free one)")
    found.add_argument("--insecure-http", action="store_true", help="allow http beyond loopback")
    found.add_argument("--scheduler", action="store_true", help="run a z4j-scheduler beside it")
    found.add_argument("--check", action="store_true", help="check settings and database, then end")
    found.add_argument("--dev-project", help=argparse.SUPPRESS)
    found.add_argument("--print-json", action="store_true", help=argparse.SUPPRESS)
    found.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)
    return found


def _settings(options: argparse.Namespace) -> Settings:
    found = settings_of(options, Z4J_HOST=options.host, Z4J_PORT=options.port)
    dev = options.dev_project is not None
    return dataclasses.replace(
        found, insecure_http=options.insecure_http, dev=dev,
        embedded_scheduler=found.embedded_scheduler or options.scheduler,
    )  # fmt: skip


def check_exposure(settings: Settings) -> None:
    """Refuse to listen beyond loopback in the clear.

    Raises:
        ConfigError: Z4J-E606.
    """
    if settings.host in LOOPBACK:
        return
    if settings.dev:
        raise ConfigError("Z4J-E606", "a development server listens on loopback only")
    https = (settings.public_url or "").startswith("https://") and settings.trusted_proxies
    if not https and not settings.insecure_http:
        text = (
            "beyond loopback set Z4J_PUBLIC_URL=https://… and Z4J_TRUSTED_PROXIES, "
            "or give --insecure-http"
        )
        raise ConfigError("Z4J-E606", text)


async def serve(brain: Brain, options: argparse.Namespace) -> int:
    """Listen, say where, and serve until told to stop."""
    settings = brain.settings
    listening = _listen(settings)
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = settings.public_url or f"http://{host}:{port}"
    if options.check:
        listening.close()
        print("ok")
        return 0
    near = embedded.local_url(settings, port)
    if settings.embedded_scheduler:
        brain.settings = dataclasses.replace(settings, agent_urls=embedded.let_in(settings, near))
    server = Server(_config(brain), brain)
    if options.until_eof:
        server.stop_at_eof(sys.stdin.fileno())
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await asyncio.wait(
        [serving, asyncio.create_task(server.answers.wait())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    if server.answers.is_set():
        await _announce(brain, options, base.rstrip("/"))
    if settings.embedded_scheduler and server.answers.is_set():
        beside = asyncio.create_task(embedded.Embedded(brain, near).run())
        server.first = lambda: cancelled(beside)
    await serving
    return 0 if server.answers.is_set() else 1


class Server(uvicorn.Server):
    """Says when it answers, and ends streams first when told to stop."""

    def __init__(self, config: uvicorn.Config, brain: Brain) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()
        self._brain = brain
        self._ending: asyncio.Task[None] | None = None
        self.first: Callable[[], Awaitable[None]] | None = None
        """What has to end while the server still answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end the server and nothing else: what is open gets closed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def stop_at_eof(self, descriptor: int) -> None:
        """Stop when the other end of this pipe is gone, however its holder ended."""
        loop = asyncio.get_running_loop()

        def gone() -> None:
            loop.remove_reader(descriptor)
            self._stop()

        loop.add_reader(descriptor, gone)

    def _stop(self) -> None:
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        if self.first is not None:
            await self.first()
        self.should_exit = True
        if self._brain.streams is not None:
            self._brain.streams.close()
        if self._brain.drain is not None:
            await self._brain.drain()


async def cancelled(task: asyncio.Task[None]) -> None:
    """End a task and wait for it."""
    task.cancel()
    await asyncio.wait([task])


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform == "linux":
        with suppress(OSError):  # what it accepts inherits it
            listening.setsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS, RESEND_MOST_MS)
    try:
        listening.bind((settings.host, settings.port))
    except OSError:
        listening.close()
        raise
    return listening


def _config(brain: Brain) -> uvicorn.Config:
    proxies = brain.settings.trusted_proxies
    return uvicorn.Config(
        create_app(brain),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies) or None,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=65_536,
        **UVICORN,
    )


async def _announce(brain: Brain, options: argparse.Namespace, base: str) -> None:
    """Print the one line."""
    if options.dev_project is not None:
        found = await brain.db.write(prepare, brain, options.dev_project, base)
        print(_dev_text(found, as_json=options.print_json), flush=True)
        return
    print(await brain.db.write(_link, brain, base), flush=True)


def _dev_text(found: Dev, *, as_json: bool) -> str:
    return json.dumps(found._asdict()) if as_json else found.login_url


def _link(conn: Connection, brain: Brain, base: str) -> str:
    if auth.owner_exists(conn):
        return base
    return f"{base}/setup#{auth.make_link(conn, brain.entropy, 'setup', brain.now_us())}"
