"""Bytes as a bad line or disk leaves them. The rule: one generator, one result."""

from __future__ import annotations

from typing import Any


def mutated(rng: Any, data: bytes) -> bytes:
    """`data` after one to four small accidents; `rng` is a seeded `random.Random` of the caller."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        accident = rng.randrange(5)
        if accident == 0:
            changed[at : at + 1] = bytes((rng.randrange(256),))
        elif accident == 1:
            del changed[at : at + rng.randint(1, 8)]
        elif accident == 2:
            changed[at:at] = rng.randbytes(rng.randint(1, 8))
        elif accident == 3:
            del changed[at:]
        else:
            changed[at:at] = changed[: rng.randint(0, 40)]
    return bytes(changed)
