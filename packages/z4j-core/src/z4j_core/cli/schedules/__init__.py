"""`z4j schedules`: schedules as the dashboard has them, in words.

The rule: what needs no brain asks none, and what changes anything says what it changed.
"""

from .main import main

__all__ = ["main"]
