"""The numbers to reach first. The rule: a budget is a bound in the figure's own unit."""

from __future__ import annotations

from typing import NamedTuple


class Budget(NamedTuple):
    """An upper (`<=`) or lower (`>=`) bound."""

    bound: str
    number: float

    def holds(self, value: float) -> bool:
        """Whether a figure keeps it."""
        return value <= self.number if self.bound == "<=" else value >= self.number

    def __str__(self) -> str:
        return f"{self.bound} {self.number:g}"


def at_most(number: float) -> Budget:
    """An upper bound."""
    return Budget("<=", number)


def at_least(number: float) -> Budget:
    """A lower bound."""
    return Budget(">=", number)


AREAS: dict[str, tuple[str, ...]] = {
    "agent": ("agent_hook", "engines_bench"),
    "ingest": ("ingest_bench", "visible_bench", "start_bench"),
    "floor": ("floor_bench",),
    "wire": ("wire_bench",),
    "cron": ("cron_bench",),
    "leases": ("lease_bench",),
    "scheduler": ("scheduler_bench", "leader_bench", "lease_bench", "peers_bench"),
}
"""Modules of benchmarks/ by area."""

ENGINES = ("celery", "rq", "dramatiq", "huey", "arq", "taskiq")
BUDGETS: dict[str, dict[str, Budget | None]] = {
    "agent": {
        **{f"{engine}.cpu_us_per_task": at_most(60) for engine in ENGINES},
        **{f"{engine}.throughput_loss_pct": at_most(2) for engine in ENGINES},
        "rss_mb": at_most(15),
        "import_ms": at_most(80),
        "hook_p50_us": at_most(15),
        "hook_p99_us": at_most(50),
    },
    "ingest": {
        "postgresql.events_per_s": at_least(20_000),
        "sqlite.events_per_s": at_least(12_000),
        "visible_p95_ms": at_most(500),
        "brain_idle_rss_mb": at_most(90),
        "brain_start_s": at_most(3),
        "cpu_us_per_event": at_most(60),
    },
    "floor": {
        "pg_copy_rows_per_s": None,
        "pg_upsert_rows_per_s": None,
        "sqlite_upsert_rows_per_s": None,
        "append_us": None,
    },
    "wire": {"events_per_s": at_least(100_000)},
    "cron": {
        "next_per_s": at_least(100_000),
        "ratio_croniter": at_least(5),
        "ratio_cronsim": at_least(3),
        "parse_next_per_s": None,
    },
    "leases": {
        "fires_per_s.postgresql": at_least(5_000),
        "fires_per_s.redis": at_least(10_000),
        "fires_per_s.file": None,
    },
    "scheduler": {
        "load_100k_s": at_most(2),
        "leader_rss_mb": at_most(120),
        "idle_cpu_pct": at_most(1),
        "edit_visible_ms": at_most(200),
        "lag_p99_ms": at_most(100),
        # The numbers for claimed fires are of claim, ledger and cursor; a whole leader also plans,
        # places and tells, in one thread, and has none.
        "leader_fires_per_s.postgresql": None,
        "leader_fires_per_s.redis": None,
        "fires_per_s.postgresql": at_least(5_000),
        "fires_per_s.redis": at_least(10_000),
        "cron.next_per_s": at_least(100_000),
        "cron.ratio_croniter": at_least(5),
        "cron.ratio_cronsim": at_least(3),
    },
}
"""Figures that must exist by area; a floor has no budget: it is what the machine can do."""
