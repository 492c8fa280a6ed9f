"""z4j in a Flask app: `Z4J(app)`. Importing starts nothing."""

from .extension import Z4J

__all__ = ["Z4J"]
