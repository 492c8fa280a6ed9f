"""`z4j dev -- CMD`: a brain and a program, no account. The rule: both end together.

Everything lies in ./.z4j, which no other user can read and git does not see. The brain listens on
loopback only, and being on this machine alone opens nothing: the link holds a one-time token.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Generator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

USAGE = 2
PORT = 7700
SPAN = 50
PROJECT = "dev"
GRACE_S = 5.0
_CALL = "import sys; from {} import main; sys.exit(main(sys.argv[1:]))"
_SERVE = _CALL.format("z4j_brain.cli.serve")
_RUN = _CALL.format("z4j_core.cli.run")
Child = subprocess.Popen[str]


def main(argv: Sequence[str] | None = None) -> int:
    """Run until the program ends; its exit code. Without a program until SIGINT or SIGTERM."""
    given = list(sys.argv[1:] if argv is None else argv)
    at = given.index("--") if "--" in given else len(given)
    options = _options().parse_args(given[:at])
    try:
        with _home(Path.cwd() / ".z4j") as home:
            return _run(home, given[at + 1 :], options)
    except OSError as error:
        print(f"z4j dev: {error}", file=sys.stderr)
        return USAGE


def _options() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="z4j dev",
        usage="z4j dev [options] [-- command …]",
        description="A brain for this directory, and a program that reports to it.",
    )
    found.add_argument("--port", type=int, default=PORT, help="or the next free one (7700)")
    found.add_argument("--no-browser", action="store_true", help="only print the link")
    return found


@contextlib.contextmanager
def _home(path: Path) -> Generator[Path]:
    """The directory of this brain, private and held for us alone.

    Raises:
        OSError: it belongs to somebody else, or a brain runs in it.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to somebody else")
    path.chmod(0o700)
    (path / ".gitignore").write_text("*\n", encoding="utf-8")
    with (path / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = f"a brain runs in {path}: start programs for it with `z4j run -- …`"
            raise OSError(text) from None
        yield path


def _run(home: Path, command: Sequence[str], options: argparse.Namespace) -> int:
    brain = _start_brain(home, options.port)
    try:
        line = brain.stdout.readline() if brain.stdout is not None else ""
        if not line:
            print("z4j dev: the brain did not start", file=sys.stderr)
            return USAGE
        told = json.loads(line)
        kept = {name: told[name] for name in ("url", "dsn", "token")}
        _keep(home / "dev.json", kept | {"project": PROJECT})
        print(told["login_url"], flush=True)
        if not options.no_browser and _has_browser():
            webbrowser.open(told["login_url"])
        return _together(brain, _start_program(command, told["dsn"]) if command else None)
    finally:
        (home / "dev.json").unlink(missing_ok=True)
        _end(brain)


def _start_brain(home: Path, port: int) -> Child:
    """The brain in a session of its own: Ctrl-C is for the program, whose last facts it keeps."""
    place = ["--host", "127.0.0.1", "--port", str(_free(port)), "--data-dir", str(home)]
    how = ["--dev-project", PROJECT, "--print-json", "--until-eof"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", _SERVE, *place, *how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
        umask=0o077,
        start_new_session=True,
    )


def _start_program(command: Sequence[str], dsn: str) -> Child:
    """The program as under `z4j run`; the DSN in its environment also holds where it may go."""
    env = {"Z4J_ALLOW": "all", **os.environ, "Z4J_DSN": dsn}
    env.pop("Z4J_DSN_FILE", None)
    started = [sys.executable, "-c", _RUN, "--", *command]
    return subprocess.Popen(started, env=env, text=True)  # noqa: S603 - what was asked for


def _free(port: int) -> int:
    for candidate in range(port, port + SPAN):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", candidate))
            return candidate
    raise OSError(f"no free port from {port} to {port + SPAN - 1}")


def _keep(path: Path, told: dict[str, str]) -> None:
    """Write what agents in this directory look for; private from the first byte."""
    fresh = path.with_name("dev.json.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(told, file)
    fresh.replace(path)


def _has_browser() -> bool:
    if not sys.stdout.isatty():
        return False
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def _together(brain: Child, program: Child | None) -> int:
    """Wait until one of them ends, then end the other; the exit code."""
    ended: SimpleQueue[Child | None] = SimpleQueue()

    def passed_on(number: int, _frame: Any) -> None:
        if program is None:
            ended.put(None)
        elif number != signal.SIGINT or not sys.stdin.isatty():  # Ctrl-C reaches it by itself
            program.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, passed_on)
    children = [brain] if program is None else [brain, program]
    for child in children:
        threading.Thread(target=_await, args=(child, ended), daemon=True).start()
    first = ended.get()
    if first is brain:
        print("z4j dev: the brain ended, and so does the program", file=sys.stderr)
        if program is not None:
            _end(program)
        return 1
    return 0 if program is None else _code(program.wait())


def _await(child: Child, ended: SimpleQueue[Child | None]) -> None:
    child.wait()
    ended.put(child)


def _code(returned: int) -> int:
    return returned if returned >= 0 else 128 - returned


def _end(child: Child) -> None:
    """Ask a child to end, then end it."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
