"""The conformance suite of engines. The rule: what an adapter advertises was proved here.

An adapter's test module imports the groups (classes named `Test…`) and gives two fixtures:
`bench` (an engine that nobody attached yet) and `rig` (an engine with a worker).
"""

from .cancel import TestCancel
from .contract import TestContract
from .discovery import TestDiscovery
from .ends import TestEnds
from .enqueue import TestEnqueue
from .processes import TestProcesses
from .queues import TestQueues
from .retry import TestRetry
from .rig import Bench, Rig, Seen, missing_in, proves, skip
from .robustness import TestRobustness
from .schedules import TestSchedules
from .success import TestSuccess
from .workers import TestWorkers

__all__ = [
    "Bench", "Rig", "Seen", "TestCancel", "TestContract", "TestDiscovery", "TestEnds",
    "TestEnqueue", "TestProcesses", "TestQueues", "TestRetry", "TestRobustness", "TestSchedules",
    "TestSuccess", "TestWorkers", "missing_in", "proves", "skip",
]  # fmt: skip
