"""Stores of leases. The rule: each is handed what it speaks through and imports no driver."""
