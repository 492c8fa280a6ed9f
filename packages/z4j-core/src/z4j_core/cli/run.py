"""`z4j run -- CMD`: start z4j in a program without changing it. The rule: same pid, same exit code.

It prepends a directory with a `sitecustomize.py` to PYTHONPATH, which forked and spawned children
inherit, and then becomes the program.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

USAGE = 2
_SHUT = re.compile("-[^-cmWXIES]*([IES])")
_CODE = re.compile("-[^-cmWX]*[cm]")
_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
_LINE = 512
SITE = str(Path(__file__).parent / "site")


def main(argv: Sequence[str]) -> int:
    """Replace this process by the program; returns only when that is not possible."""
    command = list(argv[1:] if argv[:1] == ["--"] else argv)
    if not command:
        print("usage: z4j run -- <command> [arguments]", file=sys.stderr)
        return USAGE
    program = shutil.which(command[0])
    if program is not None:
        flag = unreached(command) or unreached(_shebang(program))
        if flag is not None:
            text = f"z4j run: Z4J-E203 python -{flag} is out of reach: call z4j.init()"
            print(text, file=sys.stderr)
            return USAGE
        os.execve(program, command, environment(os.environ))  # noqa: S606 - what was asked for
    print(f"z4j run: no program {command[0]!r}", file=sys.stderr)
    return USAGE


def environment(given: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """The environment with our directory in front of PYTHONPATH, once."""
    paths = [
        path for path in given.get("PYTHONPATH", "").split(os.pathsep) if path and path != SITE
    ]
    return {**given, "PYTHONPATH": os.pathsep.join([SITE, *paths])}


def unreached(command: Sequence[str]) -> str | None:
    """The flag with which this Python ignores PYTHONPATH or start-up hooks; None if there is none.

    Options end where the script, `-c` or `-m` begins.
    """
    if not command or "python" not in Path(command[0]).name:
        return None
    words = iter(command[1:])
    for word in words:
        if not word.startswith("-") or word in {"-", "--"}:
            return None
        if word in _WITH_VALUE:
            next(words, None)
        if shut := _SHUT.match(word):
            return shut[1]
        if _CODE.match(word):
            return None
    return None


def _shebang(program: str) -> list[str]:
    """The interpreter line of a script, as words; empty of anything else."""
    try:
        with open(program, "rb") as file:  # noqa: PTH123 - one line of it
            first = file.readline(_LINE)
    except OSError:
        return []
    if not first.startswith(b"#!"):
        return []
    words = first[2:].decode("utf-8", "replace").split()
    return words[1:] if words and Path(words[0]).name == "env" else words
