"""The suite of lease stores. The rule: what the scheduler believes of a store was proved here.

A store's test module imports the groups (classes named `Test…`) and gives a fixture `bench`, a
`Bench` over a real service with a group nobody used before.
"""

from .bench import Bench
from .claims import TestClaims
from .fence import TestFence
from .guard import TestGuard
from .leading import TestLeading
from .racing import TestRacing
from .runs import TestRuns
from .shelf import TestSnapshot
from .waiting import TestWaiting

__all__ = [
    "Bench", "TestClaims", "TestFence", "TestGuard", "TestLeading", "TestRacing", "TestRuns",
    "TestSnapshot", "TestWaiting",
]  # fmt: skip
