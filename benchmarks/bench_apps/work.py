"""What the measured tasks do, on every engine."""

import hashlib
import os

import redis

URL = os.environ.get("Z4J_BENCH_BROKER", "redis://127.0.0.1:6379/5")
QUEUE = os.environ.get("Z4J_BENCH_QUEUE", "bench")


def compute(times):
    """Compute `times` hashes; with none, do nothing."""
    if times:
        hashlib.pbkdf2_hmac("sha256", b"z4j", b"benchmark", times)


def last(done):
    """Say that the queue is empty."""
    redis.Redis.from_url(URL).lpush(done, 1)
