"""The setting `Z4J` of the project."""

from __future__ import annotations

from django.conf import settings
from z4j_core.config.declared import NAME


def setting() -> object:
    """What the project wrote, whatever it is."""
    return getattr(settings, NAME, None)
