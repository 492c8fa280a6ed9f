"""`z4j demo`: open the shop, print one link, stay; or `--check` what it promises and leave."""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from z4j_core.clock import SystemClock

from .processes import ChildDied, Family, free_port, is_listening
from .shop.keys import ALL
from .stack import Shop, open_shop
from .tour import STEPS, walk

PORT = 7700
ALIVE_EVERY_S = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo and return 0, or 1 when a check failed, a process died or a port is left."""
    options = _parser().parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    with contextlib.suppress(KeyboardInterrupt):
        return _run(options)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="z4j demo", description="A shop under z4j.")
    parser.add_argument("--check", action="store_true", help="prove the promises and leave")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--port", type=int, default=PORT, help="or the next free one")
    parser.add_argument(
        "--engines", type=_engines, default=ALL, help="only these, for example celery,arq"
    )
    parser.add_argument("--rate", type=float, default=6.0, help="tasks per second")
    parser.add_argument("--seconds", type=float, help="leave after this time")
    return parser


def _engines(text: str) -> tuple[str, ...]:
    named = tuple(text.split(","))
    unknown = [name for name in named if name not in ALL]
    if unknown:
        raise argparse.ArgumentTypeError(f"no {', '.join(unknown)} here, but {', '.join(ALL)}")
    return named


def _leave(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _run(options: argparse.Namespace) -> int:
    clock = SystemClock()
    begun = clock.monotonic()
    ports: tuple[int, ...] = ()
    try:
        with _home() as home, _family(home) as family:
            port = free_port(options.port)
            shop = open_shop(family, home, port, options.rate, engines=options.engines)
            ports = shop.ports
            code = _check(shop, options) if options.check else _stay(shop, options)
    except (ChildDied, TimeoutError, OSError) as error:
        print(f"z4j demo: {error}", file=sys.stderr)
        return 1
    left = [port for port in ports if is_listening(port)]
    if left:
        print(f"z4j demo: still listening on {left}", file=sys.stderr)
        return 1
    if options.check and not options.json:
        print(f"in {clock.monotonic() - begun:.0f} s")
    return code


@contextlib.contextmanager
def _home() -> Generator[Path]:
    home = Path(tempfile.mkdtemp(prefix="z4j-demo-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def _family(home: Path) -> Generator[Family]:
    family = Family(home)
    try:
        yield family
    finally:
        family.end()


def _stay(shop: Shop, options: argparse.Namespace) -> int:
    _tell({"url": shop.brain.link}, shop.brain.link, options)
    clock = SystemClock()
    until = None if options.seconds is None else clock.monotonic() + options.seconds
    forever = Event()
    while until is None or clock.monotonic() < until:
        shop.family.check()
        forever.wait(ALIVE_EVERY_S)
    return 0


def _check(shop: Shop, options: argparse.Namespace) -> int:
    outcomes = walk(shop)
    if options.json:
        for engine, outcome in outcomes.items():
            print(json.dumps({"engine": engine, **outcome}), flush=True)
    else:
        print(_table(outcomes), flush=True)
    faults = [said for outcome in outcomes.values() for said in outcome.values() if said != "ok"]
    return 1 if faults else 0


def _table(outcomes: dict[str, dict[str, str]]) -> str:
    rows = [["engine", *STEPS]]
    for engine, outcome in outcomes.items():
        rows.append([engine, *("ok" if outcome[step] == "ok" else "FAIL" for step in STEPS)])
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    lines = [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    faults = [
        f"{engine} {step}: {said}"
        for engine, outcome in outcomes.items()
        for step, said in outcome.items()
        if said != "ok"
    ]
    return "\n".join([*lines, *faults])


def _tell(data: dict[str, Any], text: str, options: argparse.Namespace) -> None:
    print(json.dumps(data) if options.json else text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
