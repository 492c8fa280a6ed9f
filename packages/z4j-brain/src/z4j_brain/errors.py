"""What a request can be told. The rule: `code` is stable, the text is for people.

Problem                an answer of the API with a status (RFC 9457)
├── NotFound           404, also for ids of other projects
├── Forbidden          403
├── Conflict           409
└── Invalid            422, with the field that is wrong
"""

from __future__ import annotations

from z4j_core.errors import Z4JError


class Problem(Z4JError):
    """An answer that is no success. `extra` travels beside code and detail."""

    status = 400

    def __init__(
        self, code: str, detail: str = "", *, status: int | None = None, **extra: object
    ) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail
        self.extra = extra
        if status is not None:
            self.status = status


class NotFound(Problem):
    """Not there, or not there for this principal."""

    status = 404


class Forbidden(Problem):
    """Known and not allowed."""

    status = 403


class Conflict(Problem):
    """The state has moved on."""

    status = 409


class Invalid(Problem):
    """What was sent cannot be meant. `field` names the culprit."""

    status = 422
