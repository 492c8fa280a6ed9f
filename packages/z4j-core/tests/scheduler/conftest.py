"""Instants, walls and slots for the tests of triggers."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import HealthCheck, settings
from z4j_core.scheduler.cron import parse
from z4j_core.scheduler.walls import Wall, dst_of
from z4j_core.scheduler.zone import zone


def few(examples):
    """The same examples in every run."""
    return settings(max_examples=examples, deadline=None, database=None, derandomize=True)


def many(examples):
    """Other examples in every run: for `make soak` alone."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def ms(*parts):
    """An instant of UTC in milliseconds."""
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


def cron(text, *, dialect="cron", tz="UTC", dst=None, seed=""):
    """A cron text as a timing."""
    read = parse(text, dialect, seed)
    return Wall(read.times, zone(tz), read.dialect.dst if dst is None else dst_of(dst))


def instants(timing, start, end, limit=100_000):
    """The slots with start <= slot < end as instants."""
    return [slot.at_ms for slot in timing.between(start - 1, end - 1, limit)]


def utc(at_ms):
    """An instant as day, hour and minute of UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%d %H:%M")
