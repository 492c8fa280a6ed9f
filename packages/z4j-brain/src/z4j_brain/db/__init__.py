"""The one way to the database: engine, transactions, column types."""

from .engine import DRIVER_ERRORS, Database, open_database
from .schema import METADATA
from .trouble import is_trouble

__all__ = ["DRIVER_ERRORS", "METADATA", "Database", "is_trouble", "open_database"]
