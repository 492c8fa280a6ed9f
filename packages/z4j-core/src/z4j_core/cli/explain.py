"""`z4j explain <code>` and `explain policy <task>`. The rule: it needs no network and no DSN."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from textwrap import fill

from ..agent.policy import PolicyError, parse_policy
from ..config import load
from ..config.codes import Code, codes, find
from ..model.commands import LEVEL_OF_VERB

USAGE = 2


def main(argv: Sequence[str]) -> int:
    """Print what a code means, or which rule decides about a task."""
    if not argv:
        print("usage: z4j explain <code> | policy <task>", file=sys.stderr)
        return USAGE
    if argv[0] == "policy" and len(argv) > 1:
        return _policy(argv[1])
    entry = find(argv[0])
    if entry is None:
        near = difflib.get_close_matches(argv[0], codes(), n=3, cutoff=0.5)
        hint = f"; near: {', '.join(near)}" if near else ""
        print(f"z4j explain: no code {argv[0]!r}{hint}", file=sys.stderr)
        return USAGE
    print(_text(entry))
    return 0


def _text(entry: Code) -> str:
    rows = (("why", entry.why), ("fix", entry.fix), ("meanwhile", entry.lost))
    lines = [f"{entry.code}  {entry.title}"]
    for name, text in rows:
        lines.append(fill(text, 96, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12))
    return "\n".join(lines)


def _policy(task: str) -> int:
    allow = load().settings.allow
    try:
        policy = parse_policy(allow)
    except PolicyError as error:
        print(f"Z4J-E013 {error}: everything but looking is refused", file=sys.stderr)
        return USAGE
    print(f"policy {policy.text}")
    for verb in LEVEL_OF_VERB:
        verdict = policy.decide(verb, task)
        print(f"  {'yes' if verdict.allowed else 'no ':<4} {verb:<14} rule: {verdict.rule}")
    return 0
