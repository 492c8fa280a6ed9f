"""What may be claimed in one call. The rule: every store refuses the same."""

from __future__ import annotations

from collections.abc import Sequence

from ..lease import CLAIMS, Claim

RECORD_BYTES = 4_096
GUARD_S = 86_400
"""How long the guard remembers a start, and a store that a run ended."""
UNSEEN_MS = 120_000
"""A run that was not seen for so long is taken for ended."""


def checked(fires: Sequence[Claim]) -> None:
    """Refuse what no store could write in one step.

    Raises:
        ValueError: too many claims, a schedule twice, or a record that is too long.
    """
    if len(fires) > CLAIMS:
        raise ValueError(f"{len(fires)} claims in one call, {CLAIMS} may be")
    if len({fire.schedule for fire in fires}) != len(fires):
        raise ValueError("a schedule is in one call twice")
    if any(len(fire.record) > RECORD_BYTES for fire in fires):
        raise ValueError(f"a record has more than {RECORD_BYTES} bytes")
