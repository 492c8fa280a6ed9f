"""The line at start: where to, which engines, what is shown and permitted, and how it stands.

The rule: one line, no secret, and said also when there is no connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import label
from ..spool import Spool
from .boundary import Emitter
from .meta import version_of

if TYPE_CHECKING:
    from .process import Process

_MIB = 1 << 20


def banner(process: Process, policy: str, state: str) -> str:
    """The whole line; `state` is its end."""
    settings = process.settings
    where = [label(settings.dsn)] if settings.dsn else []
    shown = "redaction on" if settings.args == "redacted" else f"args {settings.args}"
    engines = [_engine(emitter) for emitter in process.emitters] or ["no engine yet"]
    return " · ".join([*where, *engines, shown, f"policy {policy}", state])


def kept(spool: Spool, max_bytes: int) -> str:
    """How full a spool is, for people."""
    return f"{spool.usage().bytes / _MIB:.1f} of {max_bytes // _MIB} MiB"


def _engine(emitter: Emitter) -> str:
    name = emitter.engine.name
    version = ".".join(version_of(name).split(".")[:2])
    queues = {queue for worker in emitter.workers.values() for queue in worker.queues}
    counts = [_many(len(emitter.tasks), "task")]
    counts += [_many(len(queues), "queue")] if queues else []
    return f"{name} {version}".strip() + f" ({', '.join(counts)})"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
