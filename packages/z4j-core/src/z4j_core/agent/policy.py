"""What the brain may do here: the grammar of Z4J_ALLOW. The rule: in doubt, no.

    rule *("," rule)      rule = [glob "="] level *(("+" | "-") verb)

The last rule whose glob matches a task wins, else the base, which has none; verbs without a
task use the base.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from ..model.commands import LEVEL_OF_VERB, Level

MAX_GLOB = 128
_LEVELS = {level.name.lower(): level for level in Level}
_CHANGE = re.compile(r"[+-][a-z_]+")
_GLOB = re.compile(r"[^\s=,]{1,128}")


class PolicyError(ValueError):
    """The text is not a policy."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `glob` None = base; `plus` and `minus` are verbs."""

    text: str
    glob: str | None
    level: Level
    plus: frozenset[str] = frozenset()
    minus: frozenset[str] = frozenset()

    def permits(self, verb: str) -> bool:
        """Whether this rule lets a verb through."""
        if verb in self.minus:
            return False
        return verb in self.plus or LEVEL_OF_VERB[verb] <= self.level


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided and the text of the rule that decided."""

    allowed: bool
    rule: str
    level: Level


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of this app in force."""

    text: str
    rules: tuple[Rule, ...]

    @property
    def digest(self) -> bytes:
        """8 bytes that name this policy on the wire."""
        return hashlib.sha256(self.text.encode()).digest()[:8]

    def decide(self, verb: str, task: str | None = None) -> Verdict:
        """Whether a verb is permitted, for a task when it has one."""
        rule = self._rule_for(task)
        known = verb in LEVEL_OF_VERB
        return Verdict(known and rule.permits(verb), rule.text, rule.level)

    @property
    def has_globs(self) -> bool:
        """Whether the name of a task can matter."""
        return any(rule.glob is not None for rule in self.rules)

    def decide_unknown(self, verb: str) -> Verdict:
        """As `decide` for a task whose name nobody knows: the strictest rule decides."""
        for rule in (self._rule_for(None), *self.rules):
            if verb not in LEVEL_OF_VERB or not rule.permits(verb):
                return Verdict(allowed=False, rule=rule.text, level=rule.level)
        return self.decide(verb)

    def _rule_for(self, task: str | None) -> Rule:
        for rule in reversed(self.rules):
            if rule.glob is not None and task is not None and matches(rule.glob, task):
                return rule
        bases = [rule for rule in self.rules if rule.glob is None]
        return bases[-1] if bases else _OBSERVE


_OBSERVE = Rule("observe", None, Level.OBSERVE)
CLOSED = Policy("observe", (_OBSERVE,))
"""What holds when a policy cannot be read."""


def parse_policy(text: str) -> Policy:
    """Read the text of Z4J_ALLOW.

    Raises:
        PolicyError: with the part that cannot be read.
    """
    parts = [part.strip() for part in text.split(",")]
    if not text.strip():
        raise PolicyError("empty policy")
    return Policy(",".join(parts), tuple(_rule(part) for part in parts))


def matches(glob: str, name: str) -> bool:
    """Whether `*` and `?` make `glob` cover all of `name`; linear in both, case-sensitive."""
    g = n = 0
    star, resume = -1, 0
    while n < len(name):
        if g < len(glob) and glob[g] == "*":
            star, resume = g, n
            g += 1
        elif g < len(glob) and glob[g] in ("?", name[n]):
            g, n = g + 1, n + 1
        elif star >= 0:
            resume += 1
            g, n = star + 1, resume
        else:
            return False
    return all(char == "*" for char in glob[g:])


def _rule(text: str) -> Rule:
    glob, sep, rest = text.rpartition("=")
    if sep and not _GLOB.fullmatch(glob):
        raise PolicyError(f"{text!r}: a pattern has 1 to {MAX_GLOB} characters")
    level_name = re.split(r"[+-]", rest, maxsplit=1)[0]
    changes = rest[len(level_name) :]
    if level_name not in _LEVELS:
        raise PolicyError(f"{text!r}: no level {level_name!r}, use {', '.join(_LEVELS)}")
    found = _CHANGE.findall(changes)
    if "".join(found) != changes:
        raise PolicyError(f"{text!r}: cannot read {changes!r}")
    unknown = [change[1:] for change in found if change[1:] not in LEVEL_OF_VERB]
    if unknown:
        raise PolicyError(f"{text!r}: no verb {unknown[0]!r}")
    return Rule(
        text,
        glob or None,
        _LEVELS[level_name],
        frozenset(c[1:] for c in found if c[0] == "+"),
        frozenset(c[1:] for c in found if c[0] == "-"),
    )
