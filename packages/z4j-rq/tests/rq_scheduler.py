"""The scheduler of a rig whose worker is a thread: `python rq_scheduler.py URL QUEUE…`."""

import sys

from redis import Redis
from rq.scheduler import RQScheduler

scheduler = RQScheduler(sys.argv[2:], connection=Redis.from_url(sys.argv[1]), interval=1)
scheduler.acquire_locks()
scheduler.work()
