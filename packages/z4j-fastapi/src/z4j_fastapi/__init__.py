"""z4j in a FastAPI or Starlette app: `Z4J(app)`. Importing starts nothing."""

from .lifespan import Z4J

__all__ = ["Z4J"]
