"""`z4j top` on a real terminal, against a served brain with an agent that has something to show."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios

import pytest
from desk import Desk, agent
from served import PROJECT, environment, served
from z4j_brain.cli.screen import Look, Seen, fit, frame, width_of
from z4j_core import EventKind, TaskEvent
from z4j_core.clock import SystemClock

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
CLOCK = SystemClock()
TOP = "import sys; from z4j_brain.cli.top import main; sys.exit(main(sys.argv[1:]))"
OWN = "import os; os.open(os.ttyname(0), os.O_RDWR); "
"""A session leader without a terminal gets the first one it opens: Ctrl-C then reaches it."""
HOSTILE = "\x1b[2Jgone\u202e"
PATIENCE_S = 40.0
SGR = re.compile(r"\x1b\[[\d;]*m")
MOVES = re.compile(r"\x1b\[[?\d;]*[A-Za-ln-z]")


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    home = tmp_path_factory.mktemp("top")
    with served(home) as running:
        handle = agent(home, running.dsn)
        engine = handle.attach(Desk())
        for number in range(3):
            engine.emit(TaskEvent(
                EventKind.FAILED, f"order-{number}", 1, f"shop.charge{HOSTILE}", "pay", "w1",
                error=ValueError(f"declined {HOSTILE}"), runtime_s=0.184,
            ))  # fmt: skip
        engine.emit(TaskEvent(EventKind.ENQUEUED, "mail-waits", 0, "shop.mail", "mail"))
        assert handle.flush(20)
        yield running
        handle.close()


@pytest.fixture
def setting(brain):
    """The environment of somebody with a token."""
    token = json.loads((brain.home / "told.json").read_text())["token"]
    return environment(Z4J_URL=brain.url, Z4J_TOKEN=token, HOME=str(brain.home), TERM="xterm")


def piped(setting, *options):
    """Run it with no terminal at all."""
    return subprocess.run(
        [sys.executable, "-c", TOP, "--project", PROJECT, *options], env=setting,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


class Terminal:
    """A pty of a chosen size with `z4j top` on it."""

    def __init__(self, setting, *options, columns=100, lines=30, **more):
        self.master, slave = pty.openpty()
        self.slave = os.dup(slave)
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self.slave)
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWN + TOP, "--project", PROJECT, "--every", "0.5", *options],
            env=setting | more, stdin=slave, stdout=slave, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)

    def resize(self, columns, lines):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, happened):
        """Read until it happened; all that was written since the last frame began."""
        until = CLOCK.monotonic() + PATIENCE_S
        while not happened(self.seen):
            assert CLOCK.monotonic() < until, self.seen[-2_000:]
            if select.select([self.master], [], [], 0.2)[0]:
                self.seen += os.read(self.master, 65_536).decode("utf-8", "replace")
            assert self.process.poll() is None or happened(self.seen), self.process.stderr.read()
        return self.seen

    def frame(self):
        """A whole picture, newer than what was read so far."""
        self.seen = self.seen[self.seen.rfind("\x1b[H") :] if "\x1b[H" in self.seen else ""
        self.until(lambda seen: seen.count("\x1b[J") > 1)
        return self.seen.split("\x1b[J")[-2].split("\x1b[H")[-1]

    def left(self):
        """Its exit status, when all it wrote was read."""
        while self.process.poll() is None or select.select([self.master], [], [], 0)[0]:
            if select.select([self.master], [], [], 0.2)[0]:
                self.seen += os.read(self.master, 65_536).decode("utf-8", "replace")
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=20)
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(setting):
    with contextlib.ExitStack() as stack:

        def start(*options, **more):
            made = Terminal(setting, *options, **more)
            stack.callback(made.close)
            return made

        yield start


def plain(text):
    return SGR.sub("", text.replace("\x1b[K", ""))


def test_it_shows_queues_failures_and_workers_and_what_is_said_moves_no_cursor(terminal):
    screen = terminal()

    shown = plain(screen.frame())

    assert f"{PROJECT} @ 127.0.0.1" in shown
    for word in ("QUEUE", "pay", "mail", "FAILING", "shop.charge", "3", "100.0 %", "failed ≈ 3"):
        assert word in shown
    assert r"shop.charge\u001b[2Jgone\u202e" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("how", ["q", "ctrl-c", "sigterm"])
def test_however_it_ends_the_terminal_is_as_it_was(terminal, how):
    screen = terminal()
    screen.frame()

    if how == "sigterm":
        screen.process.send_signal(signal.SIGTERM)
    else:
        os.write(screen.master, b"q" if how == "q" else b"\x03")

    assert screen.left() == (143 if how == "sigterm" else 0)
    assert screen.seen.endswith("\x1b[?25h\x1b[?1049l")
    assert termios.tcgetattr(screen.slave) == screen.before
    assert screen.process.stderr.read() == b""


@pytest.mark.parametrize(("columns", "lines"), [(40, 24), (60, 12), (100, 30), (200, 50)])
def test_no_line_is_wider_and_no_picture_higher_than_the_terminal(terminal, columns, lines):
    shown = plain(terminal(columns=columns, lines=lines).frame()).split("\r\n")

    assert len(shown) <= lines
    assert max(map(width_of, shown)) <= columns
    assert any("QUEUE" in line for line in shown)


def test_a_resized_terminal_is_filled_anew_without_waiting(terminal):
    screen = terminal("--every", "30", columns=120)
    screen.until(lambda seen: "\x1b[J" in seen)
    screen.seen = ""

    screen.resize(44, 30)
    screen.until(lambda seen: "\x1b[J" in seen)

    shown = plain(screen.seen.split("\x1b[H")[-1].split("\x1b[J")[0]).split("\r\n")
    assert max(map(width_of, shown)) <= 44


def test_colours_are_used_on_a_terminal_and_not_with_no_color(terminal):
    assert SGR.search(terminal().frame())
    assert not SGR.search(terminal(NO_COLOR="1").frame())
    assert not SGR.search(terminal("--no-color").frame())


def test_a_brain_that_goes_away_leaves_the_last_picture_and_says_since_when(terminal, tmp_path):
    with served(tmp_path) as brain:
        token = json.loads((brain.home / "told.json").read_text())["token"]
        screen = terminal(Z4J_URL=brain.url, Z4J_TOKEN=token)
        screen.frame()

    screen.until(lambda seen: re.search(r"no answer for \d+ s", seen))

    assert screen.process.poll() is None


def test_where_there_is_no_terminal_it_looks_once_without_a_single_escape(setting):
    done = piped(setting)

    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "shop.charge" in done.stdout


def test_with_json_it_is_one_object_on_a_line(setting):
    done = piped(setting, "--json", "--once")

    (told,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert {queue["name"] for queue in told["queues"]} == {"pay", "mail"}
    assert told["failing"][0]["failed"]["value"] == 3
    assert set(told) == {
        "at", "project", "totals", "throughput", "queues", "failing", "workers", "attention",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"Z4J_TOKEN": "z4jt_wrong"}, 4),
        ({"Z4J_URL": "http://127.0.0.1:1"}, 3),
        ({"Z4J_URL": "http://brain.example.com"}, 2),
    ],
)
def test_a_first_look_that_fails_is_one_line_and_its_own_exit_status(setting, more, status):
    done = piped(setting | more)

    assert (done.returncode, done.stdout) == (status, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("z4j top: ")


def test_wide_and_joined_characters_are_counted_as_terminals_do():
    assert (width_of("日本"), width_of("e\u0301"), width_of("abc")) == (4, 1, 3)
    assert (fit("日本語", 5), fit("abc", 3), fit("abcd", 3), fit("abc", 0)) == (
        "日本…", "abc", "ab…", "",
    )  # fmt: skip


def test_a_name_of_a_thousand_characters_leaves_the_depth_in_view():
    queue = {"name": "x" * 1_000, "engine": "celery", "depth": 1_204, "drain_s": "never"}

    lines = frame(Seen("shop", queues=[queue]), Look(40, 24))

    assert max(map(width_of, lines)) <= 40
    assert any("1,204" in line for line in lines)
