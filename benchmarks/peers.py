"""One scheduler with many schedules, by itself: `peers.py <name> <count>` prints its figures.

Seconds are of CPU of the process: loading, one look when nothing is due, fires that are enqueued
(Redis, database 15, but for APScheduler, which calls a function), and an edit until it counts.
Run where its library is; nothing of z4j is imported for the others.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

REDIS = os.environ.get("Z4J_TEST_REDIS", "redis://127.0.0.1:6379") + "/15"
LOOKS, FIRED = 5, 500
Figures = dict[str, float]


def work() -> None:
    """What is scheduled."""


def cpu(call: Callable[[], Any], times: int = 1) -> float:
    """Seconds of CPU of one call."""
    begun = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - begun) / times


def times_of_day(count: int) -> list[tuple[int, int]]:
    """Minutes and hours, none of them within the next two hours."""
    hour = datetime.now(UTC).hour + 3
    return [(n % 60, (hour + n // 60 % 20) % 24) for n in range(count)]


def figures(load: float, look: float, fires: float, edit: float) -> Figures:
    return {"load_s": load, "look_ms": look * 1e3, "fires_per_s": fires, "edit_ms": edit * 1e3}


def celery_beat(count: int) -> Figures:
    """Celery's own beat, schedules in memory."""
    from celery import Celery
    from celery.beat import Scheduler
    from celery.schedules import crontab, schedule

    app = Celery("bench", broker=REDIS, set_as_current=False)
    app.conf.update(timezone="UTC", task_default_queue="bench-peers")
    app.conf.beat_schedule = {
        f"n{n}": {"task": "work", "schedule": crontab(minute=minute, hour=hour)}
        for n, (minute, hour) in enumerate(times_of_day(count))
    }
    made: list[Scheduler] = []

    def load() -> None:
        made.append(Scheduler(app))
        made[0].tick()

    loaded = cpu(load)
    beat = made[0]
    look = cpu(beat.tick, LOOKS)

    def edit() -> None:
        beat.update_from_dict({"n0": {"task": "work", "schedule": crontab(minute=1, hour=2)}})
        beat.tick()

    edited = cpu(edit)
    beat.update_from_dict(
        {f"n{n}": {"task": "work", "schedule": schedule(0.001)} for n in range(20)}
    )
    beat.tick()
    fires = cpu(beat.tick, 20)
    purge("bench-peers")
    return figures(loaded, look, 1 / fires, edited)


def apscheduler3(count: int) -> Figures:
    """APScheduler 3 with jobs in memory; it enqueues nothing, it calls."""
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.cron import CronTrigger
    from apscheduler.triggers.date import DateTrigger

    scheduler = BackgroundScheduler(timezone="UTC")

    def load() -> None:
        scheduler.start(paused=True)
        for n, (minute, hour) in enumerate(times_of_day(count)):
            trigger = CronTrigger(minute=minute, hour=hour, timezone="UTC")
            scheduler.add_job(work, trigger, id=f"n{n}")

    loaded = cpu(load)
    scheduler.state = 1
    look = cpu(scheduler._process_jobs, LOOKS)
    other = CronTrigger(minute=1, hour=2, timezone="UTC")
    edited = cpu(lambda: scheduler.reschedule_job("n0", trigger=other))
    scheduler.state = 2
    for _ in range(FIRED):
        scheduler.add_job(work, DateTrigger(datetime.now(UTC)), misfire_grace_time=600)
    scheduler.state = 1
    fires = cpu(scheduler._process_jobs) / FIRED
    scheduler.shutdown(wait=True)
    return figures(loaded, look, 1 / fires, edited)


def rq_scheduler(count: int) -> Figures:
    """rq-scheduler: schedules are jobs in Redis."""
    import redis
    from rq_scheduler import Scheduler

    client = redis.Redis.from_url(REDIS)
    scheduler = Scheduler(queue_name="bench-peers", connection=client)
    scheduler.scheduled_jobs_key = "bench-peers:scheduled"
    try:
        loaded = cpu(lambda: [
            scheduler.cron(f"{minute} {hour} * * *", func="peers.work")
            for minute, hour in times_of_day(count)
        ])  # fmt: skip
        look = cpu(scheduler.enqueue_jobs, LOOKS)
        first = next(iter(scheduler.get_jobs()))
        tomorrow = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
        edited = cpu(lambda: scheduler.change_execution_time(first, tomorrow))
        past = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=5)
        for _ in range(FIRED):
            scheduler.schedule(past, "peers.work", interval=3_600)
        fires = cpu(scheduler.enqueue_jobs) / FIRED
        return figures(loaded, look, 1 / fires, edited)
    finally:
        names = client.zrange(scheduler.scheduled_jobs_key, 0, -1)
        for at in range(0, len(names), 1_000):
            client.delete(*(b"rq:job:" + name for name in names[at : at + 1_000]))
        client.delete(scheduler.scheduled_jobs_key)
        purge("rq:queue:bench-peers")


def rq_cron(count: int) -> Figures:
    """RQ's own cron, schedules in memory; an edit is a restart."""
    import logging

    import redis
    from peers import work  # RQ takes no function of the script that runs
    from rq.cron import CronScheduler

    client = redis.Redis.from_url(REDIS)

    def load() -> CronScheduler:
        made = CronScheduler(client, logging_level=logging.ERROR, name="bench-peers")
        for n, (minute, hour) in enumerate(times_of_day(count)):
            made.register(work, "bench-peers", cron=f"{minute} {hour} * * *", name=f"n{n}")
        return made

    loaded = cpu(load)
    cron = load()
    look = cpu(lambda: (cron.enqueue_jobs(), cron.calculate_sleep_interval()), LOOKS)
    for n in range(FIRED):
        cron.register(work, "bench-peers", interval=3_600, name=f"due{n}")
    fires = cpu(cron.enqueue_jobs) / FIRED
    for key in client.scan_iter("rq:cron_job:due*", count=10_000):
        client.delete(key)
    purge("rq:queue:bench-peers")
    return figures(loaded, look, 1 / fires, loaded)


def purge(queue: str) -> None:
    """Take away what was enqueued."""
    import redis

    client = redis.Redis.from_url(REDIS)
    for name in client.lrange(queue, 0, -1) if queue.startswith("rq:") else ():
        client.delete(b"rq:job:" + name)
    client.delete(queue)


def z4j_celery(count: int) -> Figures:
    """The leader of z4j, which enqueues into Celery."""
    from celery import Celery
    from z4j_celery import CeleryEngine

    app = Celery("bench", broker=REDIS, set_as_current=False)
    app.conf.task_default_queue = "bench-peers"
    try:
        return ours(count, CeleryEngine(app).enqueue)
    finally:
        purge("bench-peers")


def z4j_rq(count: int) -> Figures:
    """The leader of z4j, which enqueues into RQ."""
    from dataclasses import replace

    import redis
    from z4j_rq import RQEngine

    engine = RQEngine(redis.Redis.from_url(REDIS))
    try:
        return ours(count, lambda job: engine.enqueue(replace(job, queue="bench-peers")))
    finally:
        purge("rq:queue:bench-peers")


def ours(count: int, place: Callable[[Any], str]) -> Figures:
    """A leader without threads, so that its CPU is all there is."""
    from leading import CLOCK, Host, due_at, instant, redis_store, row, snapshot_of
    from z4j_core.scheduler.leader import Settings
    from z4j_core.scheduler.leader.leader import Leader

    now_ms = CLOCK.wall_us() // 1000
    rows = dict(
        row(n, [{"kind": "cron", "expr": f"{minute} {hour} * * *"}], now_ms)
        for n, (minute, hour) in enumerate(times_of_day(count))
    )
    host, store = Host(snapshot_of(rows), place), redis_store()
    leader = Leader(store, host, CLOCK, Settings("bench", "", 3_600_000), entropy=os.urandom)

    def all_of(sent: int) -> None:
        while leader.loading or len(host.lags) < sent:
            leader.step()

    loaded = cpu(lambda: all_of(0))
    look = cpu(leader.step, LOOKS)
    host.held = snapshot_of(rows | due_at(FIRED, CLOCK.wall_us() // 1000, first=count), 2)
    fires = cpu(lambda: all_of(FIRED)) / FIRED
    edit = row(0, [{"kind": "once", "at": instant(now_ms)}], now_ms - 60_000)
    host.held = snapshot_of(dict(host.held.schedules) | dict([edit]), 3)
    edited = cpu(lambda: all_of(FIRED + 1))
    leader.release()
    return figures(loaded, look, 1 / fires, edited)


PEERS: dict[str, Callable[[int], Figures]] = {
    each.__name__: each
    for each in (celery_beat, apscheduler3, rq_scheduler, rq_cron, z4j_celery, z4j_rq)
}

if __name__ == "__main__":
    print(json.dumps(PEERS[sys.argv[1]](int(sys.argv[2]))))
