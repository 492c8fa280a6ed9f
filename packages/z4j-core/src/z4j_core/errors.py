"""Every error z4j raises, as one tree.

    Z4JError
    ├── ConfigError            a setting is wrong; `code` is a Z4J-Ennn of spec/errors.md
    │   └── AdapterBroken      an adapter cannot be loaded or is no Engine
    ├── Away                   the brain cannot be reached; `code` is a Z4J-Ennn
    ├── WireError              the session is over; `close_code` tells the peer, `kind` is the class
    ├── ScheduleInvalid        a schedule says what cannot be; `hint` is the fix
    ├── StoreError             a lease, ledger, replay or spool store
    │   ├── LeaseLost          somebody holds a newer epoch
    │   └── StoreUnavailable   unknown whether it happened
    └── EngineError            a verb on an engine
        ├── TaskNotFound       the engine does not know this task
        ├── Unsupported        not possible here, ever; `reason` says why
        ├── Refused            local policy said no; `rule` is the text that decided
        ├── EngineUnavailable  nothing happened, may be tried again
        └── Indeterminate      may have happened, never repeat blindly

The rule: `code` is stable and travels, the message is for people.
"""

from __future__ import annotations


class Z4JError(Exception):
    """Base of all errors of z4j."""

    code = "z4j.error"


class ConfigError(Z4JError):
    """A setting is missing or wrong; the message names the cause and the fix."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.text = message


class AdapterBroken(ConfigError):
    """An adapter failed to import, or what it offers is not an Engine."""

    def __init__(self, message: str) -> None:
        super().__init__("Z4J-E204", message)


class Away(Z4JError):
    """The brain cannot be reached; `code` is a Z4J-Ennn, `status` what HTTP said, 0 if nothing."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class WireError(Z4JError):
    """The session is over; nothing after it may be believed.

    `kind` is one of the failure classes of spec/vectors (`Malformed`, `Size`, `Mac`, …),
    `close_code` the code of wire.md section 14 that tells the peer.
    """

    code = "wire.error"

    def __init__(self, kind: str, message: str, close_code: int = 4400) -> None:
        super().__init__(message)
        self.kind = kind
        self.close_code = close_code


class ScheduleInvalid(Z4JError):
    """A schedule says what cannot be. Nothing was changed.

    `code` is one of `schedule.*`, `pointer` the JSON pointer of the field that is wrong, `hint`
    what to write instead, and `column` counts from 1 where the field is a text with a grammar.
    """

    def __init__(
        self, code: str, message: str, *, hint: str = "", pointer: str = "", column: int = 0
    ) -> None:
        super().__init__(f"{message}{f'; {hint}' if hint else ''}")
        self.code = code
        self.text = message
        self.hint = hint
        self.pointer = pointer
        self.column = column

    def under(self, pointer: str) -> ScheduleInvalid:
        """The same error, seen from a document in which this one is at `pointer`."""
        return ScheduleInvalid(
            self.code,
            self.text,
            hint=self.hint,
            pointer=pointer + self.pointer,
            column=self.column,
        )


class StoreError(Z4JError):
    """A store of leases, fires, replay records or facts failed."""

    code = "store.error"


class LeaseLost(StoreError):
    """Somebody holds a newer epoch. Nothing done from now on may count."""

    code = "store.lease_lost"


class StoreUnavailable(StoreError):
    """The store did not answer: unknown whether the write happened."""

    code = "store.unavailable"


class EngineError(Z4JError):
    """A verb on an engine did not do what it was asked."""

    code = "engine.error"


class TaskNotFound(EngineError):
    """The engine does not hold this task. Nothing was changed."""

    code = "task.not_found"


class Unsupported(EngineError):
    """Not possible on this engine in this configuration. Nothing was changed.

    `reason` is one of: engine broker pool config version started finished eager undecodable
    unregistered needs_supervisor.
    """

    code = "engine.unsupported"

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or f"not possible here: {reason}")
        self.reason = reason


class Refused(EngineError):
    """Local policy or validation said no. Nothing was changed."""

    def __init__(self, code: str, message: str, rule: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.rule = rule


class EngineUnavailable(EngineError):
    """The broker did not answer and nothing was sent. It may be tried again."""

    code = "engine.unavailable"


class Indeterminate(EngineError):
    """The request may or may not have taken effect. It is never repeated blindly."""

    code = "engine.indeterminate"
