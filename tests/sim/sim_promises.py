"""The promises of delivery by name. The rule: a world that breaks one says which."""

from __future__ import annotations

KEPT = "a fact is stored or told lost"
TOLD_ONCE = "a loss is told once"
STORED_ONCE = "a fact is stored once"
NOT_INVENTED = "nothing is invented"
ACKED_IS_STORED = "what is acknowledged is stored"
MARKS_RISE = "a watermark never falls"
NO_ZOMBIE = "an older epoch is not believed"
IN_CREDIT = "no more is in flight than credit allows"
DONE_LAST = "done is said after the file is gone"
ANSWERS_FIRST = "answers go before facts"
DRAINS = "everything drains"


class Broken(AssertionError):
    """A promise was broken: which one, and how it shows."""

    def __init__(self, promise, shown=""):
        super().__init__(f"{promise}: {shown}" if shown else promise)
        self.promise = promise


def holds(promise, is_kept, shown=""):
    """Go on while the promise is kept."""
    if not is_kept:
        raise Broken(promise, shown)
