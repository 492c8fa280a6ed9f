"""The promises of schedules by name. The rule: a world that breaks one says which."""

from __future__ import annotations

FENCED = "nothing is enqueued once the lease is over"
CLAIMED_BY_HOLDER = "nothing is claimed but by who holds the lease"
BELIEVED = "a lease is believed no longer than the store holds it"
NOT_EARLY = "nothing is enqueued before its slot"
ONE_ID = "a slot is fired under one id"
NO_OLDER = "an older definition does not fire after a newer one"
RUNS_ONCE = "a fire runs once"
REDELIVERED = "what a broker delivers again runs again"
EXPLAINED = "each due slot is fired, or its fate is told"
EPOCHS_RISE = "an epoch never falls"
BOUNDED = "catching up is bounded by the policy"
LEADS = "somebody leads soon after all is well"
DECIDES = "nothing is raised into the host"


class Broken(BaseException):
    """A promise was broken: which one, and how it shows. No code under test may catch it."""

    def __init__(self, promise, shown=""):
        super().__init__(f"{promise}: {shown}" if shown else promise)
        self.promise = promise


def holds(promise, is_kept, shown=""):
    """Go on while the promise is kept."""
    if not is_kept:
        raise Broken(promise, shown)
