"""Histograms of durations that can be added up. The rule: bucket n covers 1.1^n to 1.1^(n+1) µs.

A histogram is a sparse dict {bucket: count}; stored as msgpack. Merging is adding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

RATIO = 1.1
_LOG = math.log(RATIO)
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(dict[int, int]).decode

Histogram = dict[int, int]


def bucket_of(us: int) -> int:
    """Bucket of a duration in µs; 0 and 1 µs share bucket 0."""
    return int(math.log(us) / _LOG) if us > 1 else 0


def bounds(bucket: int) -> tuple[float, float]:
    """Lower and upper end of a bucket in µs."""
    return RATIO**bucket, RATIO ** (bucket + 1)


def add(into: Histogram, other: Histogram, sign: int = 1) -> Histogram:
    """Add `other` to `into` in place and return it; empty buckets go."""
    for bucket, n in other.items():
        total = into.get(bucket, 0) + sign * n
        if total > 0:
            into[bucket] = total
        else:
            into.pop(bucket, None)
    return into


def merge(parts: Iterable[bytes | None]) -> Histogram:
    """Sum of stored histograms."""
    total: Histogram = {}
    for part in parts:
        if part:
            add(total, decode(part))
    return total


def quantile(histogram: Histogram, q: float) -> float | None:
    """The q-quantile in µs (geometric middle of its bucket); None when empty."""
    total = sum(histogram.values())
    if total == 0:
        return None
    rank = q * total
    seen = 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        if seen >= rank:
            return float(RATIO ** (bucket + 0.5))
    return None


def encode(histogram: Histogram) -> bytes | None:
    """Bytes for the database; None when empty."""
    return _ENCODE(histogram) if histogram else None


def decode(stored: bytes | None) -> Histogram:
    """A histogram as `encode` wrote it."""
    return _DECODE(stored) if stored else {}
