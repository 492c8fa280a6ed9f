"""`z4j doctor`: what stands between this machine and its brain.

The rule: it changes nothing that anybody else sees, and it answers within seconds.
"""

from .main import main

__all__ = ["main"]
