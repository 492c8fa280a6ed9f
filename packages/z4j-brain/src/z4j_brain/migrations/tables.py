"""All tables of all features on the one MetaData."""

from __future__ import annotations

from z4j_brain.agents import model as agents
from z4j_brain.audit import model as audit
from z4j_brain.auth import model as auth
from z4j_brain.commands import model as commands
from z4j_brain.db.schema import METADATA
from z4j_brain.projects import model as projects
from z4j_brain.queues import model as queues
from z4j_brain.rotation import model as rotation
from z4j_brain.schedules import model as schedules
from z4j_brain.tasks import model as tasks
from z4j_brain.workers import model as workers

FEATURES = (
    agents, audit, auth, commands, projects, queues, rotation, schedules, tasks, workers,
)  # fmt: skip

__all__ = ["FEATURES", "METADATA"]
