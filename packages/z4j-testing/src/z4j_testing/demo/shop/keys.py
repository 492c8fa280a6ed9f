"""Names of the shop's keys in Redis, and which departments are open today."""

import os

BOOK = "shop:book"
"""Hash: task id → JSON of the arguments a run truly had when it came to its end."""

DESK = "shop:desk"
"""List of wishes as JSON; the desk enqueues them at once."""

SUPPLIERS_DOWN = "shop:suppliers-down"
"""Set of suppliers that refuse connections."""

REDIS_URL = os.environ.get("SHOP_REDIS", "redis://127.0.0.1:6379/8")
ALL = ("celery", "rq", "dramatiq", "huey", "arq", "taskiq")
OPEN = tuple(os.environ.get("SHOP_ENGINES", ",".join(ALL)).split(","))
"""Departments at work, by the task queue each of them chose."""
