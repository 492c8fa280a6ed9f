"""Who may do what. The rule: this table is the only one; an action not in it does not exist."""

from __future__ import annotations

from ..errors import Forbidden, NotFound, Problem
from .context import Principal, Project
from .route import PUBLIC, SIGNED_IN

VIEWER = frozenset({"viewer", "operator", "admin"})
OPERATOR = frozenset({"operator", "admin"})
ADMIN = frozenset({"admin"})
MEMBER = frozenset({"viewer", "operator", "admin", "auditor"})

ROLES_OF: dict[str, frozenset[str]] = {
    "project.view": MEMBER,
    "agent.read": MEMBER,
    "task.read": VIEWER,
    "queue.read": VIEWER,
    "worker.read": VIEWER,
    "schedule.read": VIEWER,
    "task.args.read": OPERATOR,
    "task.retry": OPERATOR,
    "task.cancel": OPERATOR,
    "dead_letter.requeue": OPERATOR,
    "queue.pause": OPERATOR,
    "queue.resume": OPERATOR,
    "queue.rate_limit": OPERATOR,
    "task.enqueue": OPERATOR,
    "task.retry_edited": OPERATOR,
    "task.terminate": OPERATOR,
    "schedule.create": OPERATOR,
    "schedule.edit": OPERATOR,
    "schedule.fire": OPERATOR,
    "schedule.pause": OPERATOR,
    "schedule.resume": OPERATOR,
    "schedule.replay": OPERATOR,
    "schedule.backfill": OPERATOR,
    "schedule.delete": ADMIN,
    "schedule.move": ADMIN,
    "calendar.edit": ADMIN,
    "queue.purge": ADMIN,
    "pool.resize": ADMIN,
    "worker.restart": ADMIN,
    "agent_key.create": ADMIN,
    "agent_key.rotate": ADMIN,
    "agent_key.revoke": ADMIN,
    "audit.read": frozenset({"admin", "auditor"}),
}
GRANTS = {"task.args.read"}
"""Actions that a membership can be granted beside its role."""
ACTIONS = frozenset(ROLES_OF) | {PUBLIC, SIGNED_IN}
STEP_UP = frozenset(
    {"task.terminate", "queue.purge", "pool.resize", "worker.restart", "agent_key.create",
     "agent_key.rotate", "agent_key.revoke"}
)  # fmt: skip
PROVED = STEP_UP | {"schedule.delete", "schedule.move"}
"""What a person at a screen does only with a fresh proof. Tokens hold the last one as any other."""
STEP_UP_US = 600_000_000


def may(principal: Principal, action: str, project_id: str) -> bool:
    """Whether this role, its grants and the token's scopes permit the action."""
    role, grants = principal.roles.get(project_id, ("", frozenset()))
    if principal.scopes is not None and action not in principal.scopes:
        return False
    if action in GRANTS and action in grants:
        return True
    return role in ROLES_OF[action]


def authorize(principal: Principal | None, action: str, project: Project | None) -> None:
    """Let it pass or raise; the one place that decides.

    Raises:
        Problem: 401 nobody is signed in.
        NotFound: the project is foreign: it does not exist for this principal.
        Forbidden: `auth.role`.
    """
    if action == PUBLIC:
        return
    if principal is None:
        raise Problem("auth.required", "sign in first", status=401)
    if action == SIGNED_IN:
        return
    if project is None or project.id not in principal.roles:
        raise NotFound("not_found", "no such project")
    if not may(principal, action, project.id):
        raise Forbidden("auth.role", f"your role does not include {action}", action=action)


def needs_step_up(principal: Principal, action: str, now_us: int) -> bool:
    """Whether a fresh proof of identity is missing for this action."""
    if action not in PROVED or principal.via != "ui":
        return False
    return now_us - principal.proved_us > STEP_UP_US
