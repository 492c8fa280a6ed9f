"""Agents: keys, sessions and streams."""
