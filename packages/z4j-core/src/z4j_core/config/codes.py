"""Every error code z4j can print, with cause and cure. The rule: one table, `codes.toml`.

`spec/errors.md` is drawn from it and `z4j explain` reads it.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Code(NamedTuple):
    """What one code means: `why` it is seen, the `fix`, and what is `lost` meanwhile."""

    code: str
    title: str
    why: str
    fix: str
    lost: str


@cache
def codes() -> dict[str, Code]:
    """All codes, in the order of the table."""
    table = tomllib.loads(Path(__file__).with_name("codes.toml").read_text(encoding="utf-8"))
    return {code: Code(code, **entry) for code, entry in table.items()}


def find(text: str) -> Code | None:
    """The entry of a code as people type it: `E110`, `z4j-e110`, `policy.level`."""
    wanted = text.strip()
    known = codes()
    return known.get(wanted) or known.get(f"Z4J-{wanted.upper().removeprefix('Z4J-')}")


def render() -> str:
    """The text of spec/errors.md."""
    lines = [
        "# Error codes",
        "",
        "Drawn from `z4j_core/config/codes.toml`; `z4j explain <code>` prints one.",
        "",
        "| code | what | why | fix | lost meanwhile |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{c.code}` | {c.title} | {c.why} | {c.fix} | {c.lost} |" for c in codes().values()
    ]
    return "\n".join(lines) + "\n"
