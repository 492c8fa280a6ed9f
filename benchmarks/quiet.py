"""What was measured while the machine was left alone. The rule: noise only ever adds.

So of many rounds the lowest quarter counts. A figure is told from all rounds; its `spread` is the
deviation of the same figure told from three thirds of them.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
Figure = dict[str, Any]


def quiet(values: Sequence[float]) -> float:
    """The mean of the lowest quarter, of at least one."""
    return statistics.fmean(sorted(values)[: max(1, len(values) // 4)])


def figure(
    name: str, told: Callable[[Sequence[T]], float], rounds: Sequence[T], unit: str
) -> Figure:
    """What `told` says of the rounds, and how much that differs between thirds of them."""
    thirds = [told(rounds[start::3]) for start in range(min(3, len(rounds)))]
    return {
        "name": name, "value": round(told(rounds), 2), "unit": unit,
        "runs": len(rounds), "spread": round(statistics.pstdev(thirds), 2),
    }  # fmt: skip
