"""`z4j top`: the pulse of a project on a terminal. The rule: the terminal is left as it was found.

Plain ANSI, so it works over ssh. Where the output is no terminal it looks once.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from z4j_core.cli.remote import AWAY, Failure, Remote, remote_of
from z4j_core.cli.tls import add_tls
from z4j_core.cli.words import plain
from z4j_core.clock import Clock, SystemClock

from .screen import Look, Seen, frame

RANGE = "15m"
LEAST_S = 0.5
QUIT = b"qQ\x03\x04"
_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _REST_OF_LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"


def main(argv: Sequence[str] | None = None) -> int:
    """Show until `q` or Ctrl-C; the exit status."""
    options = _options().parse_args(argv)
    try:
        remote = remote_of(options)
        return Top(remote, options, SystemClock()).run()
    except Failure as error:
        print(f"z4j top: {plain(error)}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # who read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _options() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="z4j top", description="Queues, throughput, failures and workers, live."
    )
    found.add_argument("--project", help="slug of the project")
    found.add_argument("--every", type=float, default=2.0, help="seconds between looks (2)")
    found.add_argument("--once", action="store_true", help="look once and end")
    found.add_argument("--json", action="store_true", help="one object per look and line")
    add_tls(found)
    found.add_argument(
        "--no-color", action="store_true", help="as with NO_COLOR in the environment"
    )
    return found


class Top:
    """One run: what was seen last, and where it is shown."""

    def __init__(self, remote: Remote, options: argparse.Namespace, clock: Clock) -> None:
        self._remote = remote
        self._clock = clock
        self._json = options.json
        self._every_s = max(LEAST_S, options.every)
        is_screen = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._once = options.once or (not options.json and not is_screen)
        self._colour = is_screen and not options.no_color and not os.environ.get("NO_COLOR")
        host = urlsplit(remote.place.url).netloc
        self._seen = Seen(f"{remote.place.project} @ {host}")
        self._answered = clock.monotonic()

    def run(self) -> int:
        """Look, show, wait; 0.

        Raises:
            Failure: the first look failed, or the brain does not let us in any more.
        """
        told = self._look()
        if self._json or self._once:
            while True:
                print(json.dumps(told) if self._json else self._text(), flush=True)
                if self._once:
                    return 0
                self._pause()
                told = self._look()
        with _screen() as pressed:
            while True:
                self._draw()
                if self._wait(pressed):
                    return 0
                self._try()

    def _look(self) -> dict[str, Any]:
        remote, seen = self._remote, self._seen
        seen.now = remote.get("now", range=RANGE)
        seen.queues = remote.get("queues")["items"]
        seen.workers = remote.get("workers")["items"]
        seen.at_ms, seen.late_s = self._clock.wall_us() // 1000, 0
        self._answered = self._clock.monotonic()
        now: Mapping[str, Any] = seen.now
        return {
            "at": seen.at_ms, "project": remote.place.project, "totals": now["totals"],
            "throughput": now["throughput"], "queues": seen.queues, "failing": now["failing"],
            "workers": seen.workers, "attention": now["attention"],
        }  # fmt: skip

    def _try(self) -> None:
        """Look again; a brain that is away leaves the last picture, marked as old."""
        try:
            self._look()
        except Failure as error:
            if error.status != AWAY:
                raise
            self._seen.late_s = max(1, round(self._clock.monotonic() - self._answered))

    def _text(self) -> str:
        size = shutil.get_terminal_size()
        width = size.columns if sys.stdout.isatty() else 120
        return "\n".join(frame(self._seen, Look(width, 1_000, self._colour)))

    def _draw(self) -> None:
        size = shutil.get_terminal_size()
        lines = frame(self._seen, Look(size.columns, size.lines, self._colour))
        body = "\n".join(line + _REST_OF_LINE for line in lines)
        sys.stdout.write(_HOME + body + _REST)
        sys.stdout.flush()

    def _pause(self) -> None:
        select.select([], [], [], self._every_s)

    def _wait(self, pressed: list[int]) -> bool:
        """Wait for the next look; True when somebody wants to leave, early when it was resized."""
        until = self._clock.monotonic() + self._every_s
        while (left := until - self._clock.monotonic()) > 0:
            ready, _, _ = select.select(pressed, [], [], left)
            keys = b"".join(os.read(each, 64) for each in ready)
            if any(key in QUIT for key in keys):
                return True
            if ready:
                self._draw()
        return False


@contextmanager
def _screen() -> Iterator[list[int]]:
    """The other screen without a cursor, put back whatever happens; yields what to listen to."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    listening = [woken]
    before = None
    if sys.stdin.isatty():
        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        listening.append(sys.stdin.fileno())
    handlers = {
        signal.SIGWINCH: signal.signal(signal.SIGWINCH, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, _end),
        # Whoever starts it in the background has it ignore this one.
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
    }
    old = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    sys.stdout.write(_ENTER)
    try:
        yield listening
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()
        signal.set_wakeup_fd(old)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        os.close(woken)
        os.close(wake)


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
