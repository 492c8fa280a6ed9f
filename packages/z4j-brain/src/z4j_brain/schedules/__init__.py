"""Schedules: edited here, sent sealed to agents, and their fires as agents told them."""
