"""The shop's Celery app. The rule: settings a shop would have, and one line for z4j."""

from __future__ import annotations

from typing import Any

import z4j
from celery import Celery

from .keys import REDIS_URL

QUEUES = ("orders", "payments", "mail", "media", "reports")

app: Any = Celery("shop", broker=REDIS_URL, include=[f"{__package__}.tasks"])
app.conf.update(
    task_default_queue="orders",
    task_routes={
        "shop.charge": {"queue": "payments"},
        "shop.refund": {"queue": "payments"},
        "shop.send_mail": {"queue": "mail"},
        "shop.thumbnail": {"queue": "media"},
        "shop.monthly_report": {"queue": "reports"},
    },
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
)

z4j.init()
