"""Names of the shop's keys in Redis, for its own code and for who looks over its shoulder."""

BOOK = "shop:book"
"""Hash: task id → JSON of the arguments a run truly had when it came to its end."""

DESK = "shop:desk"
"""List of wishes as JSON; the desk enqueues them at once."""

SUPPLIERS_DOWN = "shop:suppliers-down"
"""Set of suppliers that refuse connections."""
