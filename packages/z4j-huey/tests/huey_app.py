"""What the consumer of rig B loads: `huey_consumer huey_app.huey`."""

import os

if os.environ["RIG_POOL"] == "greenlet":
    from gevent import monkey

    monkey.patch_all()

import huey_shop
from huey_inside import instance

broker, name, where = (os.environ[f"RIG_{each}"] for each in ("BROKER", "QUEUE", "WHERE"))
huey = instance(broker, name, where)
huey_shop.here.update(huey_shop.made(huey))
