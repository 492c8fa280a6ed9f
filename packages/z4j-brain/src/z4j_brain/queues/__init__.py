"""Queues of the engines."""
