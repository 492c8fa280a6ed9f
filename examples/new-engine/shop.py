"""A shop that uses toyq as anybody would. It says nothing of z4j."""

import os

from redis import Redis
from toyq import Toy

LIMIT = int(os.environ.get("SHOP_LIMIT", "100"))
toy = Toy(Redis.from_url(os.environ.get("SHOP_REDIS", "redis://127.0.0.1:6379/0")), "shop")


@toy.task
def charge(order_id, amount):
    """Take the money for an order."""
    if amount > toy.redis.incrby("shop:limit", 0) + LIMIT:
        raise ValueError(f"order {order_id}: {amount} is over the limit")
    return {"order": order_id, "charged": amount}
