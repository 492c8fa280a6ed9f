"""What an app calls. The rule: importing starts nothing and loads nothing until it is used.

    import z4j
    z4j.init()

finds the task engines of this process and reports to the brain that `Z4J_DSN` names; without a
DSN it does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from z4j_core import Engine
    from z4j_core.agent import Handle

__version__ = "2.0.0"
__all__ = ["init", "instrument", "options"]
F = TypeVar("F", bound="Callable[..., Any]")
_OPTIONS = "__z4j_options__"


def init(
    *,
    dsn: str | None = None,
    framework: Mapping[str, Any] | None = None,
    role: str | None = None,
    **settings: Any,
) -> Handle:
    """Start the agent of this process once; a second call returns the same handle.

    It opens no socket and starts no thread: the sender starts with the first event, in the process
    that has it, so the call may stand before or after a fork.

    Args:
        dsn: `https://<key id>:<secret>@<host>/<project>`; else `Z4J_DSN`, `Z4J_DSN_FILE`,
            `framework`, or `.z4j/dev.json` in this directory or above.
        framework: Settings of a web framework, with upper-case keys.
        role: web, worker, beat, scheduler or script.
        **settings: allow args redact engines enabled strict environment release tags spool_dir
            spool_max_bytes app replay ca_file tls_cert tls_key; each also as `Z4J_<NAME>` in the
            environment. And `schedules`, the schedules that this app declares.

    Raises:
        ConfigError: only with `strict`; else what is wrong is one warning in the log.
    """
    from z4j_core.agent import start  # noqa: PLC0415 - keeps `import z4j` light

    return start({"dsn": dsn, **settings}, framework, role=role)


def instrument(obj: Any) -> Engine:
    """Observe an app, broker or queue object that was not found by itself.

    Returns:
        Its engine, whose `detach()` undoes it.

    Raises:
        AdapterBroken: no installed adapter knows objects of this kind.
    """
    from z4j_core.agent import instrument as observe  # noqa: PLC0415 - as above

    return observe(obj)


def options(
    *,
    headline: Sequence[str] = (),
    idempotent: bool = False,
    redact: Sequence[str] = (),
    args: str | None = None,
) -> Callable[[F], F]:
    """Say how a task is shown and treated; sets one attribute on the function, on any engine.

    Args:
        headline: Names of the arguments that tell one run from another.
        idempotent: Whether running it twice does no harm.
        redact: Further names of arguments that are never shown.
        args: `none`, `types`, `redacted` or `full` for this task alone.
    """

    def mark(function: F) -> F:
        known = {
            "headline": tuple(headline),
            "idempotent": idempotent,
            "redact": tuple(redact),
            "args": args,
        }
        setattr(function, _OPTIONS, known)
        return function

    return mark
