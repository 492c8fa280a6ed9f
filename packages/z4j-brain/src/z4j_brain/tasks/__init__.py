"""Tasks, attempts and definitions."""
