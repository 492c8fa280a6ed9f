"""The query language. The rule: one tree, judged alike in SQL and on a row in memory."""

from .compile import Scope, compile_query
from .judge import matches
from .keys import KEYS, Key, Kind
from .parser import parse
from .paths import teach
from .tree import EMPTY, Node, QueryError, as_json, has_time, terms, uses_args

__all__ = [
    "EMPTY",
    "KEYS",
    "Key",
    "Kind",
    "Node",
    "QueryError",
    "Scope",
    "as_json",
    "compile_query",
    "has_time",
    "matches",
    "parse",
    "teach",
    "terms",
    "uses_args",
]
