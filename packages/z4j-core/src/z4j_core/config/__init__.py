"""What an app may set, where it is looked for, and what each error code means."""

from ..wire.dsn import Dsn, parse_dsn
from .codes import Code, codes
from .declared import as_environment, declared
from .settings import Fault, Loaded, Settings, here, label, load, read_dsn, summary

__all__ = [
    "Code",
    "Dsn",
    "Fault",
    "Loaded",
    "Settings",
    "as_environment",
    "codes",
    "declared",
    "here",
    "label",
    "load",
    "parse_dsn",
    "read_dsn",
    "summary",
]
