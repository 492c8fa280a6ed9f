"""The health of a project on one page."""
