"""Telling writers that their process was forked.

The rule: a writer is told for as long as somebody else keeps it, and nobody is kept by this.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """Whoever must know that it lives in a child now."""

    def after_fork(self) -> None: ...


_known: list[weakref.ref[Forked]] = []
_hooked: list[bool] = []


def remember(one: Forked) -> None:
    """Call its `after_fork` in every child forked from now on."""
    _known[:] = [each for each in _known if each() is not None]
    _known.append(weakref.ref(one))
    if not _hooked and hasattr(os, "register_at_fork"):
        _hooked.append(True)
        os.register_at_fork(after_in_child=_after_fork)


def _after_fork() -> None:
    for each in _known:
        one = each()
        if one is not None:
            one.after_fork()
