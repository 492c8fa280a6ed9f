"""`z4j <name>`: a shell around entry points `z4j.commands`. The rule: it loads only that one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

GROUP = "z4j.commands"
USAGE = 2
_HOMES = {
    "demo": ("z4j-testing", "demo"),
    "scheduler": ("z4j-scheduler", "scheduler"),
    **dict.fromkeys(
        (
            "serve", "dev", "setup-link", "login", "tasks", "issues", "queues", "workers", "bulk",
            "audit", "keys", "top", "users", "backup", "restore", "openapi",
        ),
        ("z4j-brain", "brain"),
    ),
}  # fmt: skip
"""Commands of packages that may be absent: distribution and extra."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code.

    2 = usage, or the package of the command is not installed.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    commands = {point.name: point for point in entry_points(group=GROUP)}
    if not args or args[0] in ("-h", "--help", "help"):
        return _overview(commands)
    if args[0] in ("-V", "--version"):
        from . import __version__  # noqa: PLC0415 - only for this

        print(f"z4j {__version__}")
        return 0
    if args[0] not in commands:
        return _absent(args[0], commands)
    run = commands[args[0]].load()
    return int(run(args[1:]))


def _overview(commands: dict[str, EntryPoint]) -> int:
    print("usage: z4j <command> [options]\n")
    print("commands: " + (" ".join(sorted(commands)) or "none installed"))
    absent = sorted(set(_HOMES) - set(commands))
    if absent:
        print("not installed: " + " ".join(absent))
    return 0


def _absent(name: str, commands: dict[str, EntryPoint]) -> int:
    home = _HOMES.get(name)
    if home is None:
        known = ", ".join(sorted({*commands, *_HOMES}))
        print(f"z4j: no command {name!r}; there are {known}", file=sys.stderr)
    else:
        distribution, extra = home
        print(f"z4j {name}: needs {distribution}: pip install 'z4j[{extra}]'", file=sys.stderr)
    return USAGE
