"""The rig's app as `celery -A celery_shop_worker worker` loads it."""

import json
import os

import celery_shop

app = celery_shop.make_app(
    os.environ["RIG_BROKER"],
    os.environ["RIG_BACKEND"],
    os.environ["RIG_QUEUE"],
    os.environ["RIG_MARKS"],
    json.loads(os.environ["RIG_CONF"]),
)
