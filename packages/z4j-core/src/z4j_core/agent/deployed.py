"""The declared set as the brain is told of it. The rule: whole and without a fault, or not at all.

Its hash goes along with every beat, its body only to a brain that does not know it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..config import Settings
from .declared import reading
from .items import Source
from .snapshots import DECLARED, Snapshot, snapshot

_reported: list[tuple[object, Snapshot]] = []
"""What was read, and what is told of it."""


def report(settings: Settings) -> Snapshot | None:
    """The set, under its tag in place of an app.

    None where none is declared or one has a fault: half a set would switch off the other half. Also
    where neither the set nor the setting `app` gives it a tag.
    """
    found = reading(settings)
    if found is None or found.faults or not found.declared.tag:
        return None
    if not _reported or _reported[0][0] is not found:
        rows = [[name, _text(entry.brief())] for name, entry in found.declared.entries.items()]
        _reported[:] = [(found, snapshot(DECLARED, Source("", found.declared.tag), rows))]
    return _reported[0][1]


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
