"""The names an adapter may use.

The rule: importing this stays light (no asyncio, websockets, msgpack).
"""

from .engine import Emit, Engine, Gate, Tombstones, capabilities, scoped
from .errors import (
    AdapterBroken,
    ConfigError,
    EngineError,
    EngineUnavailable,
    Indeterminate,
    Refused,
    StoreError,
    StoreUnavailable,
    TaskNotFound,
    Unsupported,
    WireError,
    Z4JError,
)
from .model.commands import Capability, Delivery, Level, Scope, Stop
from .model.tasks import (
    ErrorText,
    EventKind,
    Held,
    Job,
    Native,
    Page,
    Parameter,
    TaskDef,
    TaskEvent,
    TaskFlag,
    TaskState,
)
from .model.workers import ChildProcess, Queue, QueueDepth, Worker

__all__ = [
    "AdapterBroken", "Capability", "ChildProcess", "ConfigError", "Delivery", "Emit", "Engine",
    "EngineError", "EngineUnavailable", "ErrorText", "EventKind", "Gate", "Held", "Indeterminate",
    "Job", "Level", "Native", "Page", "Parameter", "Queue", "QueueDepth", "Refused", "Scope",
    "Stop", "StoreError", "StoreUnavailable", "TaskDef", "TaskEvent", "TaskFlag", "TaskNotFound",
    "TaskState", "Tombstones", "Unsupported", "WireError", "Worker", "Z4JError", "capabilities",
    "scoped",
]  # fmt: skip
