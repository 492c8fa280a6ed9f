"""Replacing the root secret under running brains."""
