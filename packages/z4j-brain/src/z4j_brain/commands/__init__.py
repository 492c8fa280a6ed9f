"""Commands and bulks."""
